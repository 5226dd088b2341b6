import type { Octokit } from 'octokit'
import { startTimer, untilAborted } from '../runtime/timer.ts'
import { responseText, withBody } from '../runtime/untrusted-text.ts'
import { AnswerError, exactJson, maxAnswerBytes } from './answer.ts'
import type { GitHubResponse, Requester } from './requester.ts'

/**
 * The version of the REST API: the one that the types of the package `octokit` describe. GitHub supports it until March
 * 2028 at least: https://docs.github.com/rest/about-the-rest-api/api-versions
 */
export const apiVersion = '2022-11-28'

/** Names the version of the API in each request that does not name one. */
export function withApiVersion(octokit: Octokit): Octokit {
  octokit.hook.before('request', (options) => {
    const { headers } = options as { headers: Record<string, unknown> }
    headers['x-github-api-version'] ??= apiVersion
  })
  return octokit
}

/**
 * Makes a requester of an Octokit. Its responses have the JSON text as GitHub wrote it, because Octokit would round
 * large integers, or make each of them a `BigInt`. The hook below gives the Octokit a `fetch` that keeps the text. Every
 * version of Octokit has the option `request.fetch`, so this works with old versions too.
 *
 * The requester reads at most `maxAnswerBytes` of an answer, unless the request has an option with this name. With the
 * option `answerTimeout` of a request, an answer has to begin within so many milliseconds. The requester follows redirects
 * only to the same server. A request rejects as soon as its own signal aborts, even while the Octokit requests
 * a token for it.
 * @param limits `timeout`: milliseconds for a request without a signal, such as that for a token, which serves all
 *   requests that need the token. `answerTimeout`: the default of the option. Default of both: none.
 */
export function toRequester(
  octokit: Octokit,
  { timeout, answerTimeout }: { timeout?: number; answerTimeout?: number } = {},
): Requester {
  withApiVersion(octokit).hook.wrap('request', async (request, options) => {
    const own: AbortSignal | undefined = options.request.signal
    const signal = own ?? (timeout === undefined ? undefined : AbortSignal.timeout(timeout))
    const fetch: Fetch = options.request.fetch ?? globalThis.fetch
    let text: string | undefined
    let failure: unknown
    // Changes `options` itself, because the hooks of plugins get this object, but not its `request`, which may belong to
    // the defaults of the Octokit.
    options.request = {
      ...options.request,
      ...(signal && { signal }),
      parseSuccessResponseBody: false, // the text is parsed only where it is needed
      fetch: async (address: string, init: RequestInit) => {
        try {
          const response = await beginWithin(options.request.answerTimeout ?? answerTimeout, init, (limited) => {
            return fetchFromOneServer(fetch, address, limited)
          })
          text = await limitedText(response, options.request.maxAnswerBytes ?? maxAnswerBytes)
          return withBody(response, text)
        } catch (error) {
          // Octokit wraps each error in one of its own.
          if (error instanceof AnswerError || (error as Error).name === 'TimeoutError') failure = error
          throw error
        }
      },
    }
    try {
      const response = await (signal ? untilAborted(signal, async () => request(options)) : request(options))
      return Object.assign(response, { text: text ?? exactJson(response.data) })
    } catch (error) {
      throw failure ?? error
    }
  })
  return { request: (route, parameters) => octokit.request(route, parameters) as unknown as Promise<GitHubResponse> }
}

type Fetch = (address: string, init: RequestInit) => Promise<Response>

/** Aborts the request if it has no response after `ms` milliseconds. Its body may arrive later. */
async function beginWithin(
  ms: number | undefined,
  init: RequestInit,
  send: (init: RequestInit) => Promise<Response>,
): Promise<Response> {
  if (ms === undefined) return send(init)
  const late = new AbortController()
  const abort = () => late.abort(new DOMException(`There was no answer within ${ms / 1000} s`, 'TimeoutError'))
  const cancelTimer = startTimer(abort, ms)
  try {
    return await send({ ...init, signal: init.signal ? AbortSignal.any([init.signal, late.signal]) : late.signal })
  } finally {
    cancelTimer()
  }
}

/** GitHub redirects a request for a renamed repository once. */
const maxRedirects = 5

/**
 * Follows redirects to the same server only: another server must get neither the token nor a secret in the body, and
 * its answer would not be GitHub's. Repeats the method and the body, as GitHub asks:
 * https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api#follow-redirects
 * @throws {AnswerError} for a redirect to another server, or for more than `maxRedirects` redirects.
 */
async function fetchFromOneServer(fetch: Fetch, address: string, init: RequestInit): Promise<Response> {
  let target = URL.parse(address) as URL
  for (let redirects = 0; redirects <= maxRedirects; redirects++) {
    const response = await fetch(target.href, { ...init, redirect: 'manual' })
    const location = response.headers.get('location')
    if (![301, 302, 307, 308].includes(response.status) || location === null) return response
    await response.body?.cancel?.()
    const next: URL | null = URL.parse(location, target.href)
    if (next?.origin !== target.origin) {
      const other = next?.origin ?? 'an invalid address'
      throw new AnswerError(`GitHub's API redirects to another server (${other}): check --github and --api-url`)
    }
    target = next
  }
  throw new AnswerError("GitHub's API redirects again and again")
}

async function limitedText(response: Response, maxBytes: number): Promise<string> {
  try {
    return await responseText(response, maxBytes)
  } catch (error) {
    throw error instanceof RangeError ? new AnswerError(error.message, { cause: error }) : error
  }
}

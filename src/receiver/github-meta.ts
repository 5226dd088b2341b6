/** Fetches `GET /meta` of GitHub, which lists the addresses that webhooks come from. */
import { parseExhaustedLimit, parseRetryAfter } from '../runtime/rate-limit.ts'
import { responseText } from '../runtime/untrusted-text.ts'
import type { Settings } from '../settings.ts'
import { type FetchedRanges, RangesError, rangesAdvice } from './github-ranges.ts'

type MetaSource = Pick<Settings, 'apiUrl' | 'token'>

/**
 * Maximum milliseconds for the request and the body of its response, including a second request without the token if
 * GitHub rejects the token. Short, because the reply to a delivery may have to wait for the list.
 */
const metaTimeout = 5000

/** A real response has a few hundred kilobytes, and grows with the addresses of GitHub Actions. */
const maxMetaBytes = 4 * 1024 * 1024

/** @throws {RangesError} */
export async function fetchMeta({ apiUrl, token }: MetaSource, etag: string | undefined): Promise<FetchedRanges> {
  const signal = AbortSignal.timeout(metaTimeout)
  let response = await request({ apiUrl, token }, etag, signal)
  const tokenRejected = response.status === 401 && token !== undefined
  if (tokenRejected) {
    await discardBody(response)
    response = await request({ apiUrl, token: undefined }, etag, signal)
  }
  if (!response.ok) await discardBody(response)
  if (response.status === 304) return { cidrs: undefined, etag, tokenRejected }
  if (!response.ok) throw errorOf(response)
  return { cidrs: await hooksIn(response, apiUrl), etag: response.headers.get('etag') ?? undefined, tokenRejected }
}

async function request(
  { apiUrl, token }: MetaSource,
  etag: string | undefined,
  signal: AbortSignal,
): Promise<Response> {
  const headers: Record<string, string> = {
    accept: 'application/vnd.github+json',
    'user-agent': 'hookserver',
    'x-github-api-version': '2022-11-28',
  }
  if (token) headers.authorization = `Bearer ${token}`
  if (etag) headers['if-none-match'] = etag
  try {
    return await fetch(`${apiUrl}/meta`, { headers, signal })
  } catch (cause) {
    throw new RangesError('Error reaching GitHub', { cause })
  }
}

/** Frees the connection, which an endless response would occupy. */
const discardBody = async ({ body }: Response): Promise<void> => body?.cancel().catch(() => undefined)

async function hooksIn(response: Response, apiUrl: string): Promise<readonly string[]> {
  try {
    const { hooks } = JSON.parse(await responseText(response, maxMetaBytes)) as { hooks?: unknown }
    if (Array.isArray(hooks) && hooks.length > 0 && hooks.every((one) => typeof one === 'string')) return hooks
    throw new Error(['The response of /meta has no list "hooks"', ...rangesAdvice(apiUrl)].join(': '))
  } catch (cause) {
    throw new RangesError('Error reaching GitHub', { cause })
  }
}

/** The error for a response. `until` is when GitHub accepts requests again, if the headers say so. */
function errorOf({ status, headers }: Response): RangesError {
  const limiting = status === 403 || status === 429
  const now = Date.now()
  const wait = parseRetryAfter(headers, now)
  const until = wait === undefined ? parseExhaustedLimit(status, headers, now)?.resetAt : now + wait
  const cause = new Error(`GET /meta returned status ${status}`)
  if (!limiting || until === undefined) return new RangesError('Error reaching GitHub', { until, cause })
  return new RangesError(`Rate limited from GitHub until ${new Date(until).toUTCString()}`, { until, cause })
}

/** Exchanges the code of the manifest flow for the App and its secrets. */
import { idIn, type Json, objectIn, parseObject, textIn, webAddressIn } from '../../runtime/json.ts'
import { version } from '../../runtime/platform.ts'
import { responseText } from '../../runtime/untrusted-text.ts'
import { AnswerError } from '../answer.ts'
import { apiVersion } from '../octokit-requester.ts'
import {
  defaultRetryPolicy,
  type RequestError,
  type Requester,
  RetryingRequester,
  type RetryPolicy,
  rateLimitWait,
} from '../requester.ts'

/** A new App. GitHub shows its key and its secrets only once. */
export interface RegisteredApp {
  id: string
  name: string
  slug: string
  owner: string
  /** The address of the App's public page. */
  page: string
  clientId: string
  clientSecret: string
  privateKey: string
  /** `undefined` if GitHub generated none. */
  webhookSecret: string | undefined
}

interface ConversionOptions {
  apiUrl: string
  signal: AbortSignal
  /** Milliseconds before each retry after a failure of the network or of GitHub. */
  retries?: RetryPolicy['retries']
}

const maxResponse = 1024 * 1024
/** The longest wait for a rate limit, in milliseconds. */
const maxWait = 60_000

/**
 * Exchanges a code. No error contains the code or a secret.
 * @throws {Error} that says why the exchange failed.
 */
export async function convertCode(
  code: string,
  { apiUrl, signal, retries = defaultRetryPolicy.retries }: ConversionOptions,
): Promise<RegisteredApp> {
  const github = new RetryingRequester(requesterWithoutToken(apiUrl), signal, {
    ...defaultRetryPolicy,
    maxWait,
    retries,
  })
  let text: string
  try {
    text = (await github.request(`POST /app-manifests/${encodeURIComponent(code)}/conversions`)).text
  } catch (error) {
    signal.throwIfAborted()
    throw new Error(problemOf(error as RequestError, apiUrl))
  }
  const app = appIn(text)
  if (app) return app
  throw new Error('GitHub answered without the key or another property of the App')
}

/** Not an Octokit, because the errors of an Octokit contain the address, and so the code. */
function requesterWithoutToken(apiUrl: string): Requester {
  return {
    request: async (route, { request } = {}) => {
      const [method = '', path = ''] = route.split(' ')
      const { signal } = request as { signal: AbortSignal }
      const headers = {
        ...{ accept: 'application/vnd.github+json', 'user-agent': `hookserver/${version}` },
        'x-github-api-version': apiVersion,
      }
      const redirect = 'error' // another server must not get the code
      let response: Response
      let text: string
      try {
        response = await fetch(`${apiUrl}${path}`, { method, headers, redirect, signal })
        text = await responseText(response, maxResponse)
      } catch (error) {
        if (error instanceof RangeError) throw new AnswerError(error.message)
        throw new Error(`Cannot reach ${apiUrl}: ${reasonOf(error)}`)
      }
      const { ok, status } = response
      if (!ok)
        throw Object.assign(new Error(`GitHub answered ${status}`), { status, response: { headers: response.headers } })
      return { headers: Object.fromEntries(response.headers), text }
    },
  }
}

function problemOf(error: RequestError, apiUrl: string): string {
  if (error.status === 404) {
    const cause = 'it has expired after an hour, or was used, or this is not the API of --github (see --api-url)'
    return `${apiUrl} does not know this code (404): ${cause}`
  }
  const wait = rateLimitWait(error)
  const limited = wait === undefined ? '' : `. Its rate limit resets in ${Math.ceil(wait / 60_000)} min`
  return `${error.message}${limited}`
}

/** The reason for a failure, without the address of the request, because the address contains the code. */
function reasonOf(error: unknown): string {
  const { name, cause } = error as Error
  if (name === 'TimeoutError') return `no answer within ${defaultRetryPolicy.requestTimeout / 1000} s`
  return (cause as { code?: string } | undefined)?.code ?? 'the connection failed'
}

function appIn(text: string): RegisteredApp | undefined {
  const json = parseObject(text)
  const [id, name, slug] = [idIn(json), textIn(json, 'name'), textIn(json, 'slug')]
  const [clientId, clientSecret] = [textIn(json, 'client_id'), textIn(json, 'client_secret')]
  const [privateKey, page] = [textIn(json, 'pem'), webAddressIn(json, 'html_url')]
  const owner = loginIn(objectIn(json, 'owner'))
  if (id === undefined || !name || !privateKey || !page || !clientId || !clientSecret) return undefined
  const webhookSecret = textIn(json, 'webhook_secret') || undefined
  return { id, name, slug: slug ?? id, owner, page, clientId, clientSecret, privateKey, webhookSecret }
}

/** The login of a user or an organization, or the name of an enterprise in URLs. */
export const loginIn = (account: Json | undefined): string =>
  textIn(account, 'login') ?? textIn(account, 'slug') ?? 'unknown'

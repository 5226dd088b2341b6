/** Exchanges the code of the manifest flow for the App and its secrets. */
import { isObject, type Json, objectIn, textIn, wholeNumberIn } from '../../runtime/json.ts'
import { version } from '../../runtime/platform.ts'
import { parseExhaustedLimit, parseRetryAfter } from '../../runtime/rate-limit.ts'
import { sleep } from '../../runtime/timer.ts'
import { responseText } from '../../runtime/untrusted-text.ts'

/** A new App. GitHub shows its key and its secrets only once. */
export interface RegisteredApp {
  id: number
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

export interface ConversionOptions {
  apiUrl: string
  signal: AbortSignal
  /** Milliseconds before each retry after a failure of the network or of GitHub. */
  retries?: readonly number[]
}

const requestTimeout = 20_000
const maxResponse = 1024 * 1024
/** The longest wait for a rate limit, in milliseconds. */
const maxWait = 60_000

/**
 * Exchanges a code. No error contains the code or a secret.
 * @throws {Error} that says why there is no App, and what to do.
 */
export async function convertCode(
  code: string,
  { apiUrl, signal, retries = [1000, 4000, 10_000] }: ConversionOptions,
): Promise<RegisteredApp> {
  for (let failures = 0; ; failures++) {
    signal.throwIfAborted()
    const { app, problem, wait } = await tryConversion(code, apiUrl, signal, retries[failures])
    if (app) return app
    signal.throwIfAborted()
    if (wait === undefined || failures >= retries.length) throw new Error(problem)
    await sleep(wait, signal, { keepAlive: true })
  }
}

interface Try {
  app?: RegisteredApp
  problem?: string
  /** Milliseconds until the next try; `undefined` if another try cannot help. */
  wait?: number | undefined
}

async function tryConversion(
  code: string,
  apiUrl: string,
  signal: AbortSignal,
  retry: number | undefined,
): Promise<Try> {
  let response: Response
  let text: string
  try {
    response = await fetch(`${apiUrl}/app-manifests/${encodeURIComponent(code)}/conversions`, {
      method: 'POST',
      headers: { accept: 'application/vnd.github+json', 'user-agent': `hookserver/${version}` },
      redirect: 'error', // another server must not get the code
      signal: AbortSignal.any([signal, AbortSignal.timeout(requestTimeout)]),
    })
    text = await responseText(response, maxResponse)
  } catch (error) {
    return { problem: `Cannot reach ${apiUrl}: ${reasonOf(error)}`, wait: retry }
  }
  const { status, headers } = response
  if (status === 201) {
    const app = appIn(text)
    return app ? { app } : { problem: 'GitHub answered without the key of the App' }
  }
  if (status === 404) return { problem: 'GitHub does not know this code: it has expired after an hour, or was used' }
  const wait = parseRetryAfter(headers, Date.now()) ?? parseExhaustedLimit(status, headers, Date.now())?.resetIn
  if (status >= 500 || (wait !== undefined && wait <= maxWait)) {
    return { problem: `GitHub answered ${status}`, wait: wait ?? retry }
  }
  const limited = wait === undefined ? '' : `. Its rate limit resets in ${Math.ceil(wait / 60_000)} min`
  return { problem: `GitHub answered ${status}${limited}` }
}

/** The reason of a failure, without the address, because the address contains the code. */
function reasonOf(error: unknown): string {
  const { name, cause } = error as Error
  if (name === 'TimeoutError') return `no answer within ${requestTimeout / 1000} s`
  return (cause as { code?: string } | undefined)?.code ?? 'the connection failed'
}

function appIn(text: string): RegisteredApp | undefined {
  const json = parsed(text)
  const [id, name, slug] = [wholeNumberIn(json, 'id'), textIn(json, 'name'), textIn(json, 'slug')]
  const [clientId, clientSecret] = [textIn(json, 'client_id'), textIn(json, 'client_secret')]
  const [privateKey, page] = [textIn(json, 'pem'), textIn(json, 'html_url')]
  const owner = ownerIn(json)
  if (id === undefined || !name || !privateKey || !page || !clientId || !clientSecret) return undefined
  const webhookSecret = textIn(json, 'webhook_secret') || undefined
  return { id, name, slug: slug ?? String(id), owner, page, clientId, clientSecret, privateKey, webhookSecret }
}

/** The login of a user or an organization, or the name of an enterprise in URLs. */
export function ownerIn(json: Json | undefined): string {
  const owner = objectIn(json, 'owner')
  return textIn(owner, 'login') ?? textIn(owner, 'slug') ?? 'unknown'
}

function parsed(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

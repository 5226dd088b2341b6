import { setTimeout } from 'node:timers/promises'
import { isObject, textIn } from '../../src/runtime/json.ts'
import { parseExhaustedLimit, parseRetryAfter } from '../../src/runtime/rate-limit.ts'
import { responseText } from '../../src/runtime/untrusted-text.ts'
import { parseExactly } from './exact-json.ts'

/** The version of the REST API that the probe asks for, because hookserver uses it too. */
export const apiVersion = '2022-11-28'

/** Milliseconds for a request and its answer. */
const requestTimeout = 20_000
/** In bytes: the maximum size of an answer. */
const maxAnswerBytes = 5 * 1024 * 1024
/** Milliseconds: the longest wait for a rate limit. If GitHub asks for more, the step fails. */
const maxRateLimitWait = 120_000

export interface ApiOptions {
  /** The address of the API, without a slash at the end. */
  url: string
  token: string
  /** Milliseconds between two requests that write. GitHub asks for at least 1000. */
  writeInterval: number
  progress: (text: string) => void
}

export interface RequestOptions {
  body?: object
  headers?: Readonly<Record<string, string>>
  /** Default: 20 s. */
  timeout?: number
  /** Default: 5 MiB. */
  maxBytes?: number
}

export interface ApiAnswer {
  status: number
  headers: Headers
  /** JSON, with ids as text. `undefined` for an answer without a body. */
  data: unknown
}

/** An answer with a status other than 2xx. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly answer: ApiAnswer

  constructor(request: string, answer: ApiAnswer) {
    super(`${request} was answered ${statusText(answer)}`)
    this.answer = answer
  }
}

/** The status of an answer with GitHub's message, such as `404 Not Found`. */
export function statusText({ status, data }: ApiAnswer): string {
  const { message, errors } = isObject(data) ? data : {}
  const details = Array.isArray(errors) ? errors.map(detailOf).filter((text) => text !== '') : []
  const parts = [String(status), ...(typeof message === 'string' ? [message] : [])]
  return details.length > 0 ? `${parts.join(' ')} (${details.join('; ')})` : parts.join(' ')
}

/** A member of `errors`: a text, or an object that names a field. */
function detailOf(error: unknown): string {
  if (!isObject(error)) return typeof error === 'string' ? error : ''
  return textIn(error, 'message') ?? ['field', 'code'].map((name) => textIn(error, name) ?? '').join(' ')
}

/** The time of GitHub's clock when it answered, in milliseconds since 1970. The header has whole seconds. */
export const dateOf = ({ headers }: ApiAnswer): number => Date.parse(headers.get('date') ?? '')

/** A client of GitHub's REST API that returns any answer as it is, and keeps the digits of all ids. */
export class GitHubApi {
  readonly #options: ApiOptions
  readonly #signal: AbortSignal | undefined
  /** Shared with the clients that `stoppedBy` returns. */
  readonly #writes: { nextAt: number }

  constructor(options: ApiOptions, signal?: AbortSignal, writes: { nextAt: number } = { nextAt: 0 }) {
    this.#options = options
    this.#signal = signal
    this.#writes = writes
  }

  /**
   * The same client, but its reads and waits end when the signal aborts. A write that has begun is not
   * aborted, because the probe must learn the id of a new webhook to delete it.
   */
  stoppedBy(signal: AbortSignal): GitHubApi {
    return new GitHubApi(this.#options, signal, this.#writes)
  }

  /** @throws {ApiError} unless the status is 2xx. */
  async request(method: string, path: string, options?: RequestOptions): Promise<ApiAnswer> {
    const answer = await this.send(method, path, options)
    if (answer.status < 200 || answer.status > 299) throw new ApiError(`${method} ${path}`, answer)
    return answer
  }

  /** Sends a request, and returns any answer. Waits once if a rate limit rejects the request. */
  async send(method: string, path: string, options: RequestOptions = {}): Promise<ApiAnswer> {
    const answer = await this.#sendOnce(method, path, options)
    const wait = rateLimitWait(answer)
    if (wait === undefined || wait > maxRateLimitWait) return answer
    this.#options.progress(`GitHub's rate limit: waiting ${Math.ceil(wait / 1000)} s`)
    await this.#pause(wait)
    return this.#sendOnce(method, path, options)
  }

  async #sendOnce(method: string, path: string, options: RequestOptions): Promise<ApiAnswer> {
    const { body, headers, timeout = requestTimeout, maxBytes = maxAnswerBytes } = options
    const isWrite = method !== 'GET'
    if (isWrite) await this.#pause(this.#writes.nextAt - performance.now())
    this.#signal?.throwIfAborted()
    const late = AbortSignal.timeout(timeout)
    try {
      const response = await fetch(this.#options.url + path, {
        method,
        headers: { ...this.#commonHeaders(), ...(body && { 'content-type': 'application/json' }), ...headers },
        ...(body && { body: JSON.stringify(body) }),
        redirect: 'manual', // another server must not get the token
        signal: this.#signal && !isWrite ? AbortSignal.any([this.#signal, late]) : late,
      })
      const text = await responseText(response, maxBytes)
      return { status: response.status, headers: response.headers, data: jsonOf(text, response.status) }
    } catch (error) {
      this.#signal?.throwIfAborted()
      throw new Error(`${method} ${path} failed: ${late.aborted ? `no answer in ${timeout / 1000} s` : causeOf(error)}`)
    } finally {
      if (isWrite) this.#writes.nextAt = performance.now() + this.#options.writeInterval
    }
  }

  #commonHeaders(): Record<string, string> {
    return {
      accept: 'application/vnd.github+json',
      authorization: `Bearer ${this.#options.token}`,
      'user-agent': 'hookserver-probe',
      'x-github-api-version': apiVersion,
    }
  }

  async #pause(ms: number): Promise<void> {
    if (ms > 0) await setTimeout(ms, undefined, this.#signal && { signal: this.#signal })
  }
}

/** Milliseconds to wait, if a rate limit rejected the request. */
function rateLimitWait({ status, headers }: ApiAnswer): number | undefined {
  if (status !== 403 && status !== 429) return undefined
  const now = Date.now()
  return parseRetryAfter(headers, now) ?? parseExhaustedLimit(status, headers, now)?.resetIn
}

/** An error page of a proxy is not JSON. Its status says enough. */
function jsonOf(text: string, status: number): unknown {
  if (text === '') return undefined
  try {
    return parseExactly(text)
  } catch {
    if (status >= 300) return undefined
    throw new Error('the answer is not JSON: check that --api-url names the API of GitHub')
  }
}

/** `fetch()` hides the reason of a failed connection in `cause`. */
function causeOf(error: unknown): string {
  const { message, cause } = error as Error
  const { code, message: reason = code } = (cause ?? {}) as { code?: string; message?: string }
  return reason || code ? `${message}: ${reason || code}` : message
}

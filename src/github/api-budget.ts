import { parseExhaustedLimit, parseRateLimit } from '../runtime/rate-limit.ts'
import { sleep } from '../runtime/timer.ts'
import { hour } from '../runtime/units.ts'
import { diagnostics } from '../telemetry/diagnostics.ts'
import { type RequestError, rateLimitWait } from './requester.ts'

/** A request to GitHub's API that is about to be sent. */
export interface BudgetedRequest {
  method: string
  url: string
  /** Ends the wait. */
  signal: AbortSignal
  /** Whether it leaves a reserve of the limit to other requests, and lets them go first. */
  isBackground: boolean
  /** Whether the wait keeps the process alive. */
  keepAlive: boolean
}

interface KnownLimit {
  limit: number
  remaining: number
  /** By `performance.now()`. */
  resetAt: number
  /** When GitHub resets the limit, by its clock: the responses of one window have the same time. */
  window: number
}

/**
 * The maximum number of requests of one caller that run at a time in this process. GitHub allows 100 for all processes:
 * https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits
 */
const maxRunning = 50

/** The share of each limit that background requests leave to others. */
const reserve = 1 / 5

/** Milliseconds after the end of a secondary limit for which it makes the wait for the next one longer. */
const maxMemory = hour

/** The maximum random delay after a limit has ended, in milliseconds, so that waiting requests do not start together. */
const spread = 1000

/**
 * The limits that GitHub applies to the requests of one caller: an installation, a token or an App. All Octokits of the
 * caller in this process share them. A request that GitHub would reject waits here, or fails without being sent: GitHub may
 * block an App that goes on sending requests while it is limited.
 *
 * A request is
 *
 * - queued: until fewer than `maxRunning` requests run. Background requests come last. → limited; → running; → ended if
 *   its signal aborts.
 * - limited: GitHub would reject it now. It holds no place. → queued, when the limit ends; → ended if the limit lasts
 *   longer than `maxWait`, or if its signal aborts.
 * - running: it holds a place. → ended.
 */
export class ApiBudget {
  readonly #caller: string
  readonly #maxWait: number
  /** By resource, such as `core` or `search`. */
  readonly #limits = new Map<string, KnownLimit>()
  /** The end of a secondary limit, which applies to all requests. By `performance.now()`. */
  #blockedUntil = 0
  /** How often a secondary limit rejected requests since GitHub accepted one. Requests that ran together count once. */
  #rejections = 0
  #running = 0
  readonly #queued = new Set<() => void>()
  readonly #queuedBackground = new Set<() => void>()

  /**
   * @param caller Such as `installation 7`.
   * @param maxWait Milliseconds.
   */
  constructor(caller: string, maxWait: number) {
    this.#caller = caller
    this.#maxWait = maxWait
  }

  /** The number of requests that run. */
  get running(): number {
    return this.#running
  }

  /** Whether a new budget would do the same: no request runs, and no known limit holds. */
  get isIdle(): boolean {
    const now = performance.now()
    const memory = this.#rejections > 0 ? maxMemory : 0
    const holds = this.#blockedUntil + memory > now || [...this.#limits.values()].some(({ resetAt }) => resetAt > now)
    return this.#running === 0 && !holds
  }

  /** Waits until GitHub would accept a request, sends it, and notes the limits in the response. */
  async run<Response extends { headers: unknown }>(
    request: BudgetedRequest,
    send: () => Promise<Response>,
  ): Promise<Response> {
    const resource = resourceOf(request.url)
    await this.#enter(request, resource)
    try {
      const response = await send()
      this.#note(resource, response.headers)
      if (performance.now() >= this.#blockedUntil) this.#rejections = 0
      return response
    } catch (error) {
      this.#noteError(resource, error as RequestError)
      throw error
    } finally {
      this.#leave()
    }
  }

  /** A secondary limit rejects all requests for `ms` milliseconds. */
  block(ms: number): void {
    this.#blockedUntil = Math.max(this.#blockedUntil, performance.now() + ms)
  }

  async #enter(request: BudgetedRequest, resource: string): Promise<void> {
    const { signal, keepAlive } = request
    for (;;) {
      await this.#takePlace(request)
      const wait = this.#limitedFor(resource, request.isBackground)
      if (wait <= 0) return
      this.#leave()
      if (wait > this.#maxWait) throw limitError(request, this.#caller, wait)
      await sleep(Math.ceil(wait + Math.random() * spread), signal, { keepAlive })
    }
  }

  /** @throws the reason of the signal. */
  async #takePlace({ signal, isBackground }: BudgetedRequest): Promise<void> {
    signal.throwIfAborted()
    if (this.#running < maxRunning) {
      this.#running++
      return
    }
    const queue = isBackground ? this.#queuedBackground : this.#queued
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const abort = () => {
      if (queue.delete(resolve)) reject(signal.reason)
    }
    queue.add(resolve)
    signal.addEventListener('abort', abort)
    try {
      await promise // the place of an ended request
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }

  /** Gives the place to the next request. */
  #leave(): void {
    const queue = this.#queued.size > 0 ? this.#queued : this.#queuedBackground
    const [next] = queue
    if (!next) {
      this.#running--
      return
    }
    queue.delete(next)
    next()
  }

  /** Milliseconds for which GitHub, or the reserve, rejects a request. */
  #limitedFor(resource: string, isBackground: boolean): number {
    const now = performance.now()
    const known = this.#limits.get(resource)
    const isExhausted = known && known.remaining <= (isBackground ? known.limit * reserve : 0)
    return Math.max(this.#blockedUntil - now, isExhausted ? known.resetAt - now : 0)
  }

  #note(expected: string, headers: unknown): void {
    const now = Date.now()
    const parsed = parseRateLimit(headers, now)
    if (!parsed) return
    const { limit, resetIn, resetAt: window } = parsed
    const resource = String((headers as Record<string, unknown>)['x-ratelimit-resource'] ?? expected)
    const known = this.#limits.get(resource)
    // Responses may arrive in another order than GitHub counted their requests.
    const remaining = known?.window === window ? Math.min(known.remaining, parsed.remaining) : parsed.remaining
    this.#limits.set(resource, { limit, remaining, resetAt: performance.now() + resetIn, window })
    if (!diagnostics.rateLimit?.hasSubscribers) return
    diagnostics.rateLimit.publish({
      caller: this.#caller,
      resource,
      limit,
      remaining,
      resetAt: now + resetIn,
    })
  }

  #noteError(resource: string, error: RequestError): void {
    const { status, response } = error
    this.#note(resource, response?.headers)
    if (parseExhaustedLimit(status, response?.headers, Date.now())) return
    const isFirst = performance.now() >= this.#blockedUntil
    const wait = rateLimitWait(error, isFirst ? this.#rejections : this.#rejections - 1)
    if (wait === undefined) return
    if (isFirst) this.#rejections++
    this.block(wait)
  }
}

/** GitHub has separate limits for these resources: https://docs.github.com/rest/rate-limit/rate-limit */
function resourceOf(url: string): string {
  const path = url.replace(/^https?:\/\/[^/]+/, '').replace(/^\/api(\/v3)?(?=\/)/, '') // an Enterprise Server has the prefix
  if (path === '/graphql') return 'graphql'
  if (/^\/search\/code\b/.test(path)) return 'code_search'
  return path.startsWith('/search/') ? 'search' : 'core'
}

/**
 * An error with the members of Octokit's own error for a rejected request, so that a handler is retried when the limit
 * ends.
 */
function limitError({ method, url, isBackground }: BudgetedRequest, caller: string, wait: number): Error {
  const seconds = Math.ceil(wait / 1000)
  const rule = isBackground
    ? 'background requests leave the rest of the rate limit to others'
    : 'GitHub limits its requests'
  const message = `${method} ${url} was not sent for ${caller}: ${rule} for another ${seconds} s`
  const response = { status: 429, url, headers: { 'retry-after': String(seconds) }, data: { message } }
  return Object.assign(new Error(message), {
    name: 'HttpError',
    status: 429,
    request: { method, url, headers: {} },
    response,
  })
}

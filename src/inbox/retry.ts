/** When an attempt that failed is made again, and how a handler steers it. */
import type { HandlerPolicy } from './inbox.ts'

/** Thrown by a handler: the attempt has failed, and this is when to make the next. It counts as an attempt. */
export class Retry extends Error {
  override readonly name = 'Retry'
  /** Milliseconds to wait; `undefined`: as the handler's `backoff` says. */
  readonly after: number | undefined

  /** @param options `after`: milliseconds until the next attempt. `cause`: what was wrong. */
  constructor({ after, message, cause }: { after?: number; message?: string; cause?: unknown } = {}) {
    super(message ?? 'To be tried again', { cause })
    this.after = after
    if (after !== undefined && !isDelay(after)) {
      throw new TypeError(`Retry: "after" must be a number of milliseconds, got ${String(after)}`)
    }
  }
}

/** Thrown by a handler: this delivery is none of its business, and no further attempt is made. */
export class Discard extends Error {
  override readonly name = 'Discard'

  /** @param reason Shown beside the delivery. */
  constructor(reason = 'Discarded by its handler') {
    super(reason)
  }
}

export const defaultAttempts = 12
/** Milliseconds of the first wait. */
export const defaultBackoff = 5000
/** Each wait is so much longer than the one before it, but not longer than so many milliseconds: together about a day. */
export const backoffFactor = 3
export const maxBackoff: number = 6 * 60 * 60 * 1000

/**
 * Milliseconds to wait after the `failed`th failure: uniform in [d/2, d], so that what failed together does not come
 * back together.
 * @param random In [0, 1).
 */
export function retryDelay(failed: number, backoff: number = defaultBackoff, random: number = Math.random()): number {
  const longest = Math.min(backoff * backoffFactor ** (failed - 1), maxBackoff)
  return Math.round(longest / 2 + (random * longest) / 2)
}

/**
 * Milliseconds to wait after an attempt that was cut off. If it was the last one, the task is due at once: the worker
 * that claims it next ends it as dead, and what waits behind it in its order goes on.
 * @param policy Undefined if the store does not know the handler's policy.
 */
export function expiredLeaseDelay(attemptsUsed: number, policy?: HandlerPolicy): number {
  const { attempts = defaultAttempts, backoff } = policy ?? {}
  return attemptsUsed < attempts ? retryDelay(attemptsUsed, backoff) : 0
}

/** The wait that a thrown error asks for, in milliseconds: `Retry`'s, or what GitHub said with an HTTP error (Octokit's). */
export function requestedDelay(error: unknown, now: number): number | undefined {
  const { name, after } = (error ?? {}) as { name?: unknown; after?: unknown }
  if (name === 'Retry') return isDelay(after) ? after : undefined
  const wait = retryAfter(error, now) ?? untilReset(error, now) ?? Number.NaN
  return wait >= 0 ? Math.min(wait, maxRequestedDelay) : undefined
}

function retryAfter(error: unknown, now: number): number | undefined {
  const header = headerOf(error, 'retry-after')
  if (header === undefined) return undefined
  return /^\d+$/.test(header) ? Number(header) * second : Date.parse(header) - now
}

/**
 * How long GitHub's hourly limit lasts, if it is what refused: such an answer has no `Retry-After`.
 * https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit
 */
function untilReset(error: unknown, now: number): number | undefined {
  const { status } = (error ?? {}) as { status?: unknown }
  if ((status !== 403 && status !== 429) || headerOf(error, 'x-ratelimit-remaining') !== '0') return undefined
  return Number(headerOf(error, 'x-ratelimit-reset')) * second + second - now // it names the second in which it ends
}

const second = 1000

const isDelay = (value: unknown): value is number => Number.isFinite(value) && (value as number) >= 0

/** No server is believed that asks for more than a day. */
const maxRequestedDelay = 24 * 60 * 60 * 1000

function headerOf(error: unknown, name: string): string | undefined {
  const { headers, response } = (error ?? {}) as { headers?: unknown; response?: { headers?: unknown } }
  for (const found of [response?.headers, headers]) {
    if (typeof found !== 'object' || found === null) continue
    const { get } = found as { get?: unknown }
    const value = typeof get === 'function' ? get.call(found, name) : (found as Record<string, unknown>)[name]
    if (typeof value === 'string' || typeof value === 'number') return String(value)
  }
  return undefined
}

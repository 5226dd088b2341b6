/**
 * Parses GitHub's rate-limit headers. Times are in milliseconds. Headers may be those of `fetch`, or an object with
 * lower-case names as Octokit gives them. https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
 */

import { hour, second } from './units.ts'

export interface RateLimit {
  /** Requests that GitHub allows in one window, which is usually an hour. */
  limit: number
  /** Requests that are left in this window. */
  remaining: number
  /** When the window ends, in milliseconds since 1970 by GitHub's clock. */
  resetAt: number
  /**
   * Milliseconds from the response until `resetAt`. Computed with the date of the response if it has one, because the
   * local clock may be wrong.
   */
  resetIn: number
}

/** @returns `undefined` if the response lacks the headers: an Enterprise Server without rate limits does not send them. */
export function parseRateLimit(headers: unknown, now: number): RateLimit | undefined {
  const remaining = wholeNumber(headers, 'x-ratelimit-remaining')
  const reset = wholeNumber(headers, 'x-ratelimit-reset')
  if (remaining === undefined || reset === undefined) return undefined
  const resetAt = reset * second
  const sentAt = Date.parse(readHeader(headers, 'date') ?? '') || now
  const limit = wholeNumber(headers, 'x-ratelimit-limit') ?? remaining
  return { limit, remaining, resetAt, resetIn: Math.max(0, resetAt - sentAt) }
}

/** The exhausted rate limit that made GitHub reject a request; `undefined` for any other response. */
export function parseExhaustedLimit(status: unknown, headers: unknown, now: number): RateLimit | undefined {
  if (status !== 403 && status !== 429) return undefined
  const limit = parseRateLimit(headers, now)
  return limit?.remaining === 0 ? limit : undefined
}

/**
 * Milliseconds to wait according to `Retry-After`, which is in seconds or a date; `undefined` without the header, or
 * for a date in the past.
 */
export function parseRetryAfter(headers: unknown, now: number): number | undefined {
  const text = readHeader(headers, 'retry-after') ?? ''
  if (/^\d+$/.test(text)) return Math.min(Number(text), maxNumber) * second
  const wait = Date.parse(text) - now
  return wait >= 0 ? wait : undefined
}

/** Milliseconds that GitHub asks pollers to wait between two polls: `X-Poll-Interval`, which is in seconds. */
export function parsePollInterval(headers: unknown): number | undefined {
  const seconds = wholeNumber(headers, 'x-poll-interval')
  return seconds === undefined ? undefined : Math.min(seconds * second, maxPollInterval)
}

/** GitHub asks for a minute. The limit is for a broken header. */
const maxPollInterval = hour

/**
 * The maximum number that is read from a header. `X-RateLimit-Reset` counts the seconds since 1970, and `Retry-After`
 * counts them from now. With either header, this maximum results in a time that a `Date` can represent.
 */
const maxNumber = 1e11

function wholeNumber(headers: unknown, name: string): number | undefined {
  const text = readHeader(headers, name) ?? ''
  return /^\d+$/.test(text) && Number(text) <= maxNumber ? Number(text) : undefined
}

/** The headers of a thrown error can be anything, because a handler may throw anything. */
function readHeader(headers: unknown, name: string): string | undefined {
  if (typeof headers !== 'object' || headers === null) return undefined
  const { get } = headers as { get?: unknown }
  const value = typeof get === 'function' ? get.call(headers, name) : (headers as Record<string, unknown>)[name]
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
}

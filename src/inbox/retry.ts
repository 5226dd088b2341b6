/** When a failed attempt is repeated, and how a handler decides that. */

import { parseExhaustedLimit, parseRetryAfter } from '../runtime/rate-limit.ts'
import { day, hour, minute, second } from '../runtime/units.ts'
import { isDelay } from '../thrown.ts'
import type { HandlerPolicy } from './task-queue.ts'

export const defaultAttempts = 12
/** Milliseconds that an attempt may take, if its handler has no `timeout`. */
export const defaultTimeout: number = 15 * minute
/** The maximum delay before the second attempt, in milliseconds. The actual delay is at least half of it. */
export const defaultBackoff = 5000
/** The ratio of each maximum delay to the one before it. */
const backoffFactor = 3
/**
 * The limit of the maximum delay, in milliseconds. With the defaults above, the delays between the twelve attempts take
 * 11 to 23 hours together.
 */
const maxBackoff = 6 * hour

/** The latest time that a `Date` can hold, in the year 275760. */
export const latestTime = 8_640_000_000_000_000

/**
 * The delay of the next attempt, in milliseconds: uniform in [d/2, d], where d is the backoff after these failures. So
 * tasks that failed together are not retried together.
 * @param failures Failed attempts, including this one.
 * @param random In [0, 1).
 */
export function retryDelay(failures: number, backoff: number = defaultBackoff, random: number = Math.random()): number {
  const longest = Math.min(backoff * backoffFactor ** (failures - 1), maxBackoff)
  return Math.round(longest / 2 + (random * longest) / 2)
}

/**
 * The delay after an attempt whose lease expired, in milliseconds. If no attempts are left, the delay is 0: the worker
 * that claims the task next ends it as dead, so that the next task with the same order key can run.
 * @param policy Undefined if the store does not know the handler's policy.
 */
export function expiredLeaseDelay(attemptsUsed: number, policy?: HandlerPolicy): number {
  const { attempts = defaultAttempts, backoff } = policy ?? {}
  return attemptsUsed < attempts ? retryDelay(attemptsUsed, backoff) : 0
}

/**
 * The delay in milliseconds that a thrown error asks for: a `Retry`, or an HTTP error from GitHub (Octokit's). The delay
 * of an HTTP error is up to `maxSpread` longer, so that the tasks that wait for one limit are not retried together.
 * @param random In [0, 1).
 */
export function requestedDelay(error: unknown, now: number, random: number = Math.random()): number | undefined {
  const { name, after, status, headers, response } = (error ?? {}) as ThrownError
  if (name === 'Retry') return isDelay(after) ? after : undefined
  const ofResponse = response?.headers ?? headers
  const reset = parseExhaustedLimit(status, ofResponse, now)?.resetAt
  const untilReset = reset === undefined ? undefined : reset + second - now // the limit resets during that second
  const delay = parseRetryAfter(ofResponse, now) ?? untilReset
  if (delay === undefined || delay < 0) return undefined
  return Math.min(delay, maxRequestedDelay) + Math.round(random * Math.min(delay, maxSpread))
}

/** The properties that are read from a thrown value, which can be anything. */
interface ThrownError {
  name?: unknown
  after?: unknown
  status?: unknown
  headers?: unknown
  response?: { headers?: unknown }
}

/** The maximum delay that a response of GitHub can set. hookserver shortens a longer one. */
const maxRequestedDelay = day

const maxSpread = 10 * second

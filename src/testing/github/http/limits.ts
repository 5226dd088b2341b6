import { type Caller, nameOf } from '../auth/caller.ts'
import type { Clock } from '../clock.ts'
import type { LocalGitHubLimits } from '../options.ts'
import { HttpError } from './reply.ts'

const minute = 60_000
const hour = 60 * minute

/**
 * How many requests each caller has left, by `budget`. `anonymous` is for requests without a token. `authorized` is for
 * all tokens of the user `octocat` together, who owns the token in the option `token` of `LocalGitHub`. The other keys
 * are `user <id>` for all tokens of another user together, `installation <id>` and `app <id>`.
 */
export type Remaining = { anonymous: number; authorized: number; [budget: string]: number }

/** The kinds of requests with a limit of their own, by the names of `X-RateLimit-Resource`. */
export type LimitedResource = 'core' | 'search' | 'code_search'

/** The resource of a request. @param path Without the prefix of an Enterprise Server. */
export const resourceOf = (path: string): LimitedResource =>
  path.startsWith('/search/code') ? 'code_search' : path.startsWith('/search/') ? 'search' : 'core'

/** Searches a minute. */
const searchLimits = { search: { anonymous: 10, authorized: 30 }, code_search: { anonymous: 10, authorized: 10 } }

/** The hourly limit, the limits of searches, the limit of points a minute, and with `strict` at least one second between two write requests. */
export class RateLimits {
  readonly remaining: Remaining
  /** When the hourly limit resets, in milliseconds since 1970. */
  resetAt: number
  readonly #limits: Required<LocalGitHubLimits>
  readonly #clock: Clock
  readonly #strict: boolean
  readonly #minutes = new Map<string, { startedAt: number; points: number }>()
  readonly #written = new Map<string, number>()
  /** By resource and budget: the searches of a minute. */
  readonly #searches = new Map<string, { startedAt: number; used: number }>()

  constructor(limits: LocalGitHubLimits, clock: Clock, strict: boolean) {
    const { anonymous = 60, authorized = 5000, points = 900, status = 403, retryAfter = true } = limits
    this.#limits = { anonymous, authorized, points, status, retryAfter }
    this.#clock = clock
    this.#strict = strict
    this.remaining = { anonymous, authorized }
    this.resetAt = clock.now() + hour
  }

  /** @throws {HttpError} if the request exceeds a limit. */
  charge(caller: Caller, method: string, resource: LimitedResource): void {
    const now = this.#clock.now()
    this.#renew(now)
    const { left } = this.#stateFor(caller, resource, now)
    if (left <= 0) throw this.#exhausted(caller)
    this.#chargeMinute(caller, method === 'GET' ? 1 : 5, now)
    if (this.#strict && method !== 'GET') this.#chargeWriting(caller, now)
    if (resource === 'core') this.remaining[caller.budget] = left - 1
    else this.#minuteOf(caller, resource, now).used++
  }

  /** The rate-limit headers of every answer. */
  headersFor(caller: Caller, resource: LimitedResource): Record<string, string> {
    const now = this.#clock.now()
    this.#renew(now)
    const { limit, left, resetAt } = this.#stateFor(caller, resource, now)
    return {
      'x-ratelimit-limit': String(limit),
      'x-ratelimit-remaining': String(left),
      'x-ratelimit-reset': String(Math.floor(resetAt / 1000)),
      'x-ratelimit-used': String(limit - left),
      'x-ratelimit-resource': resource,
    }
  }

  #stateFor(caller: Caller, resource: LimitedResource, now: number): { limit: number; left: number; resetAt: number } {
    if (resource === 'core')
      return { limit: this.#limitFor(caller), left: this.#leftFor(caller), resetAt: this.resetAt }
    const limit = searchLimits[resource][caller.kind === 'anonymous' ? 'anonymous' : 'authorized']
    const { startedAt, used } = this.#minuteOf(caller, resource, now)
    return { limit, left: limit - used, resetAt: startedAt + minute }
  }

  /** The current minute of a caller's searches. */
  #minuteOf({ budget }: Caller, resource: LimitedResource, now: number): { startedAt: number; used: number } {
    const key = `${resource} ${budget}`
    const last = this.#searches.get(key)
    if (last && now - last.startedAt < minute) return last
    const current = { startedAt: now, used: 0 }
    this.#searches.set(key, current)
    return current
  }

  #renew(now: number): void {
    if (now < this.resetAt) return
    for (const budget of Object.keys(this.remaining)) delete this.remaining[budget]
    const { anonymous, authorized } = this.#limits
    Object.assign(this.remaining, { anonymous, authorized })
    this.resetAt = now + hour
  }

  #limitFor({ kind }: Caller): number {
    return kind === 'anonymous' ? this.#limits.anonymous : this.#limits.authorized
  }

  #leftFor(caller: Caller): number {
    return this.remaining[caller.budget] ?? this.#limitFor(caller)
  }

  #exhausted(caller: Caller): HttpError {
    const hint =
      "(But here's the good news: Authenticated requests get a higher rate limit. Check out the documentation for more details.)"
    const message = `API rate limit exceeded for ${nameOf(caller)}.`
    return new HttpError(this.#limits.status, caller.kind === 'anonymous' ? `${message} ${hint}` : message)
  }

  #chargeMinute({ budget }: Caller, cost: number, now: number): void {
    const last = this.#minutes.get(budget)
    const current = last && now - last.startedAt < minute ? last : { startedAt: now, points: 0 }
    if (current.points + cost > this.#limits.points) throw this.#tooFast(current.startedAt + minute - now)
    current.points += cost
    this.#minutes.set(budget, current)
  }

  #chargeWriting({ budget }: Caller, now: number): void {
    const next = (this.#written.get(budget) ?? Number.NEGATIVE_INFINITY) + 1000
    if (now < next) throw this.#tooFast(next - now)
    this.#written.set(budget, now)
  }

  /** @param wait In milliseconds. */
  #tooFast(wait: number): HttpError {
    const message = 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.'
    const headers = this.#limits.retryAfter ? { 'retry-after': String(Math.ceil(wait / 1000)) } : {}
    return new HttpError(403, message, { headers })
  }
}

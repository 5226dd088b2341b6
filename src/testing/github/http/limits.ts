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

/** The hourly limit, the limit of points a minute, and with `strict` at least one second between two write requests. */
export class RateLimits {
  readonly remaining: Remaining
  /** When the hourly limit resets, in milliseconds since 1970. */
  resetAt: number
  readonly #limits: Required<LocalGitHubLimits>
  readonly #clock: Clock
  readonly #strict: boolean
  readonly #minutes = new Map<string, { startedAt: number; points: number }>()
  readonly #written = new Map<string, number>()

  constructor(limits: LocalGitHubLimits, clock: Clock, strict: boolean) {
    const { anonymous = 60, authorized = 5000, points = 900, status = 403, retryAfter = true } = limits
    this.#limits = { anonymous, authorized, points, status, retryAfter }
    this.#clock = clock
    this.#strict = strict
    this.remaining = { anonymous, authorized }
    this.resetAt = clock.now() + hour
  }

  /** @throws {HttpError} if the request exceeds a limit. */
  charge(caller: Caller, method: string): void {
    const now = this.#clock.now()
    this.#renew(now)
    const left = this.#leftFor(caller)
    if (left <= 0) throw this.#exhausted(caller)
    this.#chargeMinute(caller, method === 'GET' ? 1 : 5, now)
    if (this.#strict && method !== 'GET') this.#chargeWriting(caller, now)
    this.remaining[caller.budget] = left - 1
  }

  /** The rate-limit headers of every answer. */
  headersFor(caller: Caller): Record<string, string> {
    this.#renew(this.#clock.now())
    const [limit, left] = [this.#limitFor(caller), this.#leftFor(caller)]
    return {
      'x-ratelimit-limit': String(limit),
      'x-ratelimit-remaining': String(left),
      'x-ratelimit-reset': String(Math.floor(this.resetAt / 1000)),
      'x-ratelimit-used': String(limit - left),
      'x-ratelimit-resource': 'core',
    }
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

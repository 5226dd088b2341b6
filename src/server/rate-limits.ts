import type { RateLimit } from './api/schemas/responses.ts'
import { onEvent } from './on-event.ts'

/** The maximum number of limits in memory and in an answer. An App may have very many installations. */
const maxLimits = 100

/** The limits of GitHub's API, at the latest responses to Octokits of this process. */
export class RateLimits {
  /** By caller and resource. The one that was updated last is the last one. */
  readonly #limits = new Map<string, RateLimit>()
  readonly close: () => void = onEvent('rateLimit', (limit) => this.#update(limit))

  /** The limits that have not reset yet. Those with the smallest share of requests left are first. */
  list(): RateLimit[] {
    const now = Date.now()
    const current = [...this.#limits.values()].filter(({ resetAt }) => resetAt > now)
    return current.toSorted((one, other) => one.remaining / one.limit - other.remaining / other.limit)
  }

  #update({ caller, resource, limit, remaining, resetAt }: RateLimit): void {
    const key = `${caller} ${resource}`
    this.#limits.delete(key)
    this.#limits.set(key, { caller, resource, limit, remaining, resetAt })
    const [oldest] = this.#limits.keys()
    if (this.#limits.size > maxLimits && oldest !== undefined) this.#limits.delete(oldest)
  }
}

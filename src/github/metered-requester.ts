import { type RateLimit, rateLimitIn } from './rate-limit.ts'
import type { Requester, RequestFailure } from './requester.ts'

/** The part of the limit that is left for others, who may have the same token: from there on every call waits. */
const reserve = 1 / 10

/** Asks GitHub, and knows from its answers how long to wait between two calls so that the limit lasts. */
export class MeteredRequester implements Requester {
  readonly #github: Requester
  readonly #sharers: number
  #limit: RateLimit | undefined
  #notedAt = 0

  /** @param sharers How many share the limit, this one included. */
  constructor(github: Requester, sharers: number) {
    this.#github = github
    this.#sharers = sharers
  }

  async request(...asked: Parameters<Requester['request']>): ReturnType<Requester['request']> {
    try {
      const answer = await this.#github.request(...asked)
      this.#note(answer.headers)
      return answer
    } catch (error) {
      this.#note((error as RequestFailure).response?.headers)
      throw error
    }
  }

  /** Whole milliseconds between two calls by which what is left lasts until the limit begins anew. */
  get spacing(): number {
    if (!this.#limit) return 0
    const { left, resetIn } = this.#limit
    const until = Math.max(0, this.#notedAt + resetIn - performance.now())
    return Math.ceil((until / Math.max(1, left)) * this.#sharers)
  }

  /** Whether little is left. */
  get isScarce(): boolean {
    return this.#limit !== undefined && this.#limit.left < this.#limit.limit * reserve
  }

  #note(headers: Parameters<typeof rateLimitIn>[0] | undefined): void {
    const limit = headers && rateLimitIn(headers)
    if (!limit) return
    this.#limit = limit
    this.#notedAt = performance.now()
  }
}

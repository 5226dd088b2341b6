import type { MatchOffer, StoredDelivery } from '../inbox/inbox.ts'

type Limits = Pick<MatchOffer, 'limit' | 'bytes' | 'sources'>

/**
 * Reads unmatched deliveries. While a worker records its matches, the deliveries for its next match are read. These are
 * newer than the recorded ones, so call `forget` if an older delivery is unmatched.
 */
export class UnmatchedReader {
  readonly #read: (limits: Limits, after: number) => Promise<StoredDelivery[]>
  /** The deliveries that were read ahead, by worker. */
  readonly #ahead = new Map<number, Promise<StoredDelivery[]>>()

  /** @param read Reads deliveries with larger ids than `after`, oldest first. */
  constructor(read: (limits: Limits, after: number) => Promise<StoredDelivery[]>) {
    this.#read = read
  }

  /** Whether the next call of `take` returns deliveries that were read ahead. */
  hasRead(worker: number): boolean {
    return this.#ahead.has(worker)
  }

  /** The oldest unmatched deliveries, or those that were read ahead. */
  take(worker: number, limits: Limits): Promise<StoredDelivery[]> {
    const ahead = this.#ahead.get(worker)
    this.#ahead.delete(worker)
    return ahead ?? this.#read(limits, 0)
  }

  /**
   * Reads the deliveries after `matched`, for the next call of `take`. Reads nothing if `matched` has fewer than
   * `limit` deliveries. In most cases no other deliveries are left then. If others are left, because the bodies in
   * `matched` reached the limit `bytes`, the next call of `take` reads them.
   */
  readAhead(worker: number, limits: Limits, matched: readonly StoredDelivery[]): void {
    const last = matched.at(-1)
    if (!last || matched.length < limits.limit) return
    const ahead = this.#read(limits, last.id)
    ahead.catch(() => undefined) // `take` rejects with the error
    this.#ahead.set(worker, ahead)
  }

  forget(worker: number): void {
    this.#ahead.delete(worker)
  }
}

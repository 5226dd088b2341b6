import type { MatchOffer, StoredDelivery } from '../inbox/inbox.ts'

type Limits = Pick<MatchOffer, 'limit' | 'bytes'>

/** Reads unmatched deliveries: while a worker records its matches, those for its next match are read. */
export class UnmatchedReader {
  readonly #read: (limits: Limits, after: number) => Promise<StoredDelivery[]>
  /** By worker. */
  readonly #ahead = new Map<number, Promise<StoredDelivery[]>>()

  /** @param read Reads deliveries with larger ids than `after`, oldest first. */
  constructor(read: (limits: Limits, after: number) => Promise<StoredDelivery[]>) {
    this.#read = read
  }

  /** The oldest unmatched deliveries, or those that were read ahead. */
  take(worker: number, limits: Limits): Promise<StoredDelivery[]> {
    const ahead = this.#ahead.get(worker)
    this.#ahead.delete(worker)
    return ahead ?? this.#read(limits, 0)
  }

  /** Reads the deliveries after these, which are all going to be matched. There may be more if these reach the limit. */
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

/** What is asked for while others are under way, and goes together in the next transaction. */
interface PendingItem<Item, Result> {
  item: Item
  weight: number
  resolve(result: Result): void
  reject(error: unknown): void
}

/** How much goes together. */
export interface BatcherLimits {
  /** Transactions that are under way at a time, each on a connection of its own. */
  lanes: number
  /** Items in one transaction, and bytes that they may weigh together; one is always taken. */
  maxItems: number
  maxWeight: number
  /** What may wait, in all: what comes to a database that stands still must not fill the memory. */
  maxPending: number
  maxPendingWeight: number
}

export const batcherLimits: BatcherLimits = {
  lanes: 2,
  maxItems: 200,
  maxWeight: 8 * 1024 * 1024,
  maxPending: 5000,
  maxPendingWeight: 128 * 1024 * 1024,
}

/**
 * Group commit: what is asked for at the same time shares a transaction, and so its round trips and its fsync. If a
 * transaction fails, each that was in it is tried in one of its own, so that only the one at fault fails.
 */
export class Batcher<Item, Result> {
  readonly #commit: (items: readonly Item[]) => Promise<readonly Result[]>
  readonly #weigh: (item: Item) => number
  readonly #limits: BatcherLimits
  #waiting: PendingItem<Item, Result>[] = []
  /** Of all that wait. */
  #weight = 0
  #running = 0
  #scheduled = false

  constructor(
    commit: (items: readonly Item[]) => Promise<readonly Result[]>,
    weigh: (item: Item) => number,
    limits: BatcherLimits = batcherLimits,
  ) {
    this.#commit = commit
    this.#weigh = weigh
    this.#limits = limits
  }

  /** @throws {Error} if too much waits already. */
  add(item: Item): Promise<Result> {
    const { maxPending: mostWaiting, maxPendingWeight: mostWaitingWeight } = this.#limits
    const weight = this.#weigh(item)
    if (this.#waiting.length >= mostWaiting || this.#weight + weight > mostWaitingWeight) {
      return Promise.reject(new Error(`the database does not keep up: ${this.#waiting.length} wait to be committed`))
    }
    this.#weight += weight
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, weight, resolve, reject })
      if (this.#scheduled) return
      this.#scheduled = true
      // Not before this turn of the event loop has asked for all that it asks for.
      setImmediate(() => {
        this.#scheduled = false
        this.#begin()
      })
    })
  }

  #begin(): void {
    while (this.#running < this.#limits.lanes && this.#waiting.length > 0) {
      this.#running++
      void this.#commitBatch(this.#next()).finally(() => {
        this.#running--
        this.#begin()
      })
    }
  }

  #next(): PendingItem<Item, Result>[] {
    const { maxItems: most, maxWeight: mostWeight } = this.#limits
    let [count, taken] = [0, 0]
    for (const { weight } of this.#waiting) {
      if (count > 0 && (count >= most || taken + weight > mostWeight)) break
      count++
      taken += weight
    }
    this.#weight -= taken
    return this.#waiting.splice(0, count)
  }

  async #commitBatch(asked: readonly PendingItem<Item, Result>[]): Promise<void> {
    try {
      const results = await this.#commit(asked.map(({ item }) => item))
      for (const [index, { resolve }] of asked.entries()) resolve(results[index] as Result)
    } catch (error) {
      const alone = asked.length > 1 && isOfOne(error)
      if (!alone) for (const { reject } of asked) reject(error)
      else for (const one of asked) await this.#commitBatch([one])
    }
  }
}

/** Whether one of several may be at fault, by PostgreSQL's code (its manual, appendix A). */
function isOfOne(error: unknown): boolean {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && !ofAll.has(code.slice(0, 2))
}

/** Classes that tell of the connection, the transaction, the rights, or the server. */
const ofAll: ReadonlySet<string> = new Set(['08', '25', '28', '3D', '42', '53', '55', '57', '58', 'XX'])

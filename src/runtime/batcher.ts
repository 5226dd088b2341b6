/** An item that is not committed yet. */
interface PendingItem<Item, Result> {
  item: Item
  weight: number
  resolve(result: Result): void
  reject(error: unknown): void
}

interface BatcherLimits {
  /** Maximum batches that are committed at a time. */
  concurrency: number
  /** Maximum items and bytes of one batch. A larger item has a batch of its own. */
  maxItems: number
  maxWeight: number
  /**
   * Bytes from which an item is large. Large items have batches of their own, one at a time, so that small items wait
   * for no large one.
   */
  large: number
  /**
   * Maximum items and bytes that wait for a batch. Without a maximum, the items would fill the memory while the
   * database does not answer.
   */
  maxPending: number
  maxPendingWeight: number
}

export const batcherLimits: BatcherLimits = {
  concurrency: 2,
  maxItems: 200,
  maxWeight: 8 * 1024 * 1024,
  large: 1024 * 1024,
  maxPending: 5000,
  maxPendingWeight: 128 * 1024 * 1024,
}

interface BatcherOptions<Item, Result> {
  /** Commits a batch. @returns a result for each item, in the same order. */
  commit(items: readonly Item[]): Promise<readonly Result[]>
  /** Bytes of an item. */
  weigh(item: Item): number
  /**
   * Whether a single item may have caused the error of its batch. If so, each item of the batch is committed alone.
   * Default: never.
   */
  isItemFault?(error: unknown): boolean
  /** Default: `batcherLimits`. */
  limits?: BatcherLimits
}

/** Group commit: items that are added at the same time share a commit, and so its round trips and its fsync. */
export class Batcher<Item, Result> {
  readonly #options: BatcherOptions<Item, Result>
  readonly #limits: BatcherLimits
  #small: PendingItem<Item, Result>[] = []
  #large: PendingItem<Item, Result>[] = []
  #pendingWeight = 0
  #running = 0
  #isLargeRunning = false
  /** Whether the batch that ended last was large. If so, small items are first, else large ones. */
  #wasLarge = false
  #scheduled = false

  constructor(options: BatcherOptions<Item, Result>) {
    this.#options = options
    this.#limits = options.limits ?? batcherLimits
  }

  /** @returns The result of the item, after its commit. @throws {Error} if too many items or bytes are pending. */
  add(item: Item): Promise<Result> {
    const { maxPending, maxPendingWeight } = this.#limits
    const weight = this.#options.weigh(item)
    const waiting = this.#small.length + this.#large.length
    if (waiting >= maxPending || this.#pendingWeight + weight > maxPendingWeight) {
      return Promise.reject(new Error(`the database is too slow: ${waiting} writes are waiting for a commit`))
    }
    this.#pendingWeight += weight
    return new Promise((resolve, reject) => {
      const pending = weight < this.#limits.large ? this.#small : this.#large
      pending.push({ item, weight, resolve, reject })
      if (this.#scheduled) return
      this.#scheduled = true
      // After this turn of the event loop, so that all items added during the turn share a batch.
      setImmediate(() => {
        this.#scheduled = false
        this.#startBatches()
      })
    })
  }

  #startBatches(): void {
    const hasLarge = () => !this.#isLargeRunning && this.#large.length > 0
    if (hasLarge() && !this.#wasLarge) this.#startBatch(this.#large)
    while (this.#small.length > 0 && this.#startBatch(this.#small));
    if (hasLarge()) this.#startBatch(this.#large)
  }

  /** @returns false if as many batches run as may run at a time. */
  #startBatch(pending: PendingItem<Item, Result>[]): boolean {
    if (this.#running >= this.#limits.concurrency) return false
    const isLarge = pending === this.#large
    if (isLarge) this.#isLargeRunning = true
    this.#running++
    void this.#commitBatch(this.#takeBatch(pending)).finally(() => {
      this.#running--
      if (isLarge) this.#isLargeRunning = false
      this.#wasLarge = isLarge
      this.#startBatches()
    })
    return true
  }

  #takeBatch(pending: PendingItem<Item, Result>[]): PendingItem<Item, Result>[] {
    const { maxItems, maxWeight } = this.#limits
    let [count, batchWeight] = [0, 0]
    for (const { weight } of pending) {
      if (count > 0 && (count >= maxItems || batchWeight + weight > maxWeight)) break
      count++
      batchWeight += weight
    }
    this.#pendingWeight -= batchWeight
    return pending.splice(0, count)
  }

  async #commitBatch(batch: readonly PendingItem<Item, Result>[]): Promise<void> {
    try {
      const results = await this.#options.commit(batch.map(({ item }) => item))
      for (const [index, { resolve }] of batch.entries()) resolve(results[index] as Result)
    } catch (error) {
      const retriesAlone = batch.length > 1 && this.#options.isItemFault?.(error)
      if (!retriesAlone) for (const { reject } of batch) reject(error)
      else for (const pending of batch) await this.#commitBatch([pending])
    }
  }
}

/** What is asked for while others are under way, and goes together in the next transaction. */
interface Asked<Item, Result> {
  item: Item
  resolve(result: Result): void
  reject(error: unknown): void
}

/** How much goes together. */
export const groupLimits = {
  /** Transactions that are under way at a time, each on a connection of its own. */
  lanes: 2,
  /** Items in one transaction, and what they may weigh together; one is always taken. */
  most: 200,
  mostWeight: 8 * 1024 * 1024,
}

/**
 * Group commit: what is asked for at the same time shares a transaction, and so its round trips and its fsync. If a
 * transaction fails, each that was in it is tried in one of its own, so that only the one at fault fails.
 */
export class Group<Item, Result> {
  readonly #commit: (items: readonly Item[]) => Promise<readonly Result[]>
  readonly #weigh: (item: Item) => number
  readonly #limits: typeof groupLimits
  #waiting: Asked<Item, Result>[] = []
  #underWay = 0
  #scheduled = false

  constructor(
    commit: (items: readonly Item[]) => Promise<readonly Result[]>,
    weigh: (item: Item) => number,
    limits = groupLimits,
  ) {
    this.#commit = commit
    this.#weigh = weigh
    this.#limits = limits
  }

  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject })
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
    while (this.#underWay < this.#limits.lanes && this.#waiting.length > 0) {
      this.#underWay++
      void this.#carryOut(this.#next()).finally(() => {
        this.#underWay--
        this.#begin()
      })
    }
  }

  #next(): Asked<Item, Result>[] {
    const { most, mostWeight } = this.#limits
    let weight = 0
    const end = this.#waiting.findIndex(({ item }, index) => {
      weight += this.#weigh(item)
      return index > 0 && (index >= most || weight > mostWeight)
    })
    return this.#waiting.splice(0, end < 0 ? this.#waiting.length : end)
  }

  async #carryOut(asked: readonly Asked<Item, Result>[]): Promise<void> {
    try {
      const results = await this.#commit(asked.map(({ item }) => item))
      for (const [index, { resolve }] of asked.entries()) resolve(results[index] as Result)
    } catch (error) {
      const alone = asked.length > 1 && isOfOne(error)
      if (!alone) for (const { reject } of asked) reject(error)
      else for (const one of asked) await this.#carryOut([one])
    }
  }
}

/** Whether one of several may be at fault, and not the connection or the server: classes 21 to 44 of PostgreSQL's codes. */
function isOfOne(error: unknown): boolean {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && /^(2[1-9A-F]|3|42|44)/.test(code) && code.length === 5
}

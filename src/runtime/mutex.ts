import { untilAborted } from './timer.ts'

/** Runs one piece of work at a time, in the order of the calls. */
export class Mutex {
  #last: Promise<unknown> = Promise.resolve()

  run<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work)
    this.#last = done.catch(() => undefined)
    return done
  }
}

/** A mutex for each key. A key that is not in use takes no memory. */
export class KeyLocks {
  readonly #last = new Map<string, Promise<void>>()

  /**
   * Runs `work` once all earlier work with the same key has ended, and returns its result.
   * @throws The signal's reason, if the signal aborts before `work` begins. Later work with the same key still waits
   * for all earlier work.
   */
  async run<T>(key: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve()
    const done = Promise.withResolvers<void>()
    const last = before.then(() => done.promise)
    this.#last.set(key, last)
    last.then(() => {
      if (this.#last.get(key) === last) this.#last.delete(key)
    })
    try {
      await untilAborted(signal, () => before)
      return await work()
    } finally {
      done.resolve()
    }
  }

  /** How many keys have work that runs or waits. */
  get size(): number {
    return this.#last.size
  }
}

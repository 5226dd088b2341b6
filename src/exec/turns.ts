/** One at a time for each key, in the order of asking. Keys that nobody waits for take up no memory. */
export class Turns {
  readonly #last = new Map<string, Promise<void>>()

  /**
   * Does `work` once all that was asked for before with this key is done, and passes on what comes of it.
   * @throws The signal's reason, if it aborts before. Its place is given up, and nobody behind it is let past the others.
   */
  async take<T>(key: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve()
    const done = Promise.withResolvers<void>()
    const last = before.then(() => done.promise)
    this.#last.set(key, last)
    last.then(() => {
      if (this.#last.get(key) === last) this.#last.delete(key)
    })
    try {
      await unlessAborted(before, signal)
      return await work()
    } finally {
      done.resolve()
    }
  }

  /** How many keys have somebody at work or waiting. */
  get size(): number {
    return this.#last.size
  }
}

function unlessAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    if (signal.aborted) return abort()
    signal.addEventListener('abort', abort, { once: true })
    promise.then(() => {
      signal.removeEventListener('abort', abort)
      resolve()
    })
  })
}

/**
 * The one clock of a request. GitHub hangs up ten seconds after it began to send, so reading, looking up the
 * secret and handling share one limit, counted from the request's arrival.
 */
export class Deadline {
  /** Whether the time is over. */
  expired = false
  readonly #timer: { unref?(): void } | number
  readonly #onExpire = new Set<() => void>()

  constructor(ms: number) {
    this.#timer = setTimeout(() => this.#expire(), ms)
    // On Node.js, Bun and Deno a timer keeps the process alive; the connection is what should.
    if (typeof this.#timer === 'object') this.#timer.unref?.()
  }

  /** Calls `listener` when the time is over; the returned function takes it back. */
  onExpire(listener: () => void): () => void {
    if (this.expired) listener()
    else this.#onExpire.add(listener)
    return () => this.#onExpire.delete(listener)
  }

  /** What `promise` gives, or a rejection with `late()` if the time is over first. */
  race<T>(promise: PromiseLike<T>, late: () => Error): Promise<T> {
    return new Promise((resolve, reject) => {
      const forget = this.onExpire(() => reject(late()))
      promise.then(
        (value) => {
          forget()
          resolve(value)
        },
        (error: unknown) => {
          forget()
          reject(error)
        },
      )
    })
  }

  /** Stops the clock. */
  clear(): void {
    clearTimeout(this.#timer as number)
    this.#onExpire.clear()
  }

  #expire(): void {
    this.expired = true
    for (const listener of [...this.#onExpire]) listener()
  }
}

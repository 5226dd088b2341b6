import { startTimer } from './timer.ts'

/**
 * The one clock of a request. GitHub hangs up ten seconds after it began to send, so reading, looking up the
 * secret and handling share one limit, counted from the request's arrival.
 */
export class Deadline {
  /** Whether the time is over. */
  expired = false
  readonly #stop: () => void
  #onExpire: (() => void)[] = []

  constructor(ms: number) {
    this.#stop = startTimer(() => this.#expire(), ms)
  }

  /** Calls `listener` when the time is over; the returned function takes it back. */
  onExpire(listener: () => void): () => void {
    if (this.expired) listener()
    else this.#onExpire.push(listener)
    return () => {
      const position = this.#onExpire.indexOf(listener)
      if (position >= 0) this.#onExpire.splice(position, 1)
    }
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
    this.#stop()
    this.#onExpire = []
  }

  #expire(): void {
    this.expired = true
    for (const listener of [...this.#onExpire]) listener()
  }
}

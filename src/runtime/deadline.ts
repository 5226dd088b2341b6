import { startTimer } from './timer.ts'

/**
 * The time limit of a request. GitHub hangs up ten seconds after it began to send, so reading the body, looking up the
 * secret and running handlers share one limit, which starts when the request arrives.
 */
export class Deadline {
  expired = false
  readonly #stop: () => void
  #listeners: (() => void)[] = []

  constructor(ms: number) {
    this.#stop = startTimer(() => this.#expire(), ms)
  }

  /** Calls `listener` when the deadline expires. @returns A function that removes the listener. */
  onExpire(listener: () => void): () => void {
    if (this.expired) listener()
    else this.#listeners.push(listener)
    return () => {
      const position = this.#listeners.indexOf(listener)
      if (position >= 0) this.#listeners.splice(position, 1)
    }
  }

  /** Settles as `promise` does, or rejects with `late()` if the deadline expires first. */
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

  /** Stops the timer. */
  clear(): void {
    this.#stop()
    this.#listeners = []
  }

  #expire(): void {
    this.expired = true
    for (const listener of [...this.#listeners]) listener()
  }
}

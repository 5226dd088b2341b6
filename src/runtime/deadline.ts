import { type Linked, LinkedList } from './linked-list.ts'
import { startTimer } from './timer.ts'

/**
 * The time limit of a request. GitHub hangs up ten seconds after it began to send, so reading the body, looking up the
 * secret and running handlers share one limit, which starts when the request arrives.
 */
export class Deadline implements Linked<Deadline> {
  expired = false
  /** The deadlines before and after this one in its `SharedTimer`. */
  previous: Deadline | undefined
  next: Deadline | undefined
  /** When the deadline expires, by `performance.now()`. Set only while it is in its `SharedTimer`. */
  expiry: number | undefined
  readonly #stop: () => void
  readonly #shared: SharedTimer | undefined
  /** Most deadlines have one listener at a time, and need no set. */
  #listener: (() => void) | undefined
  #others: Set<() => void> | undefined

  /** @param shared A timer for deadlines of this length. Default: a timer for this deadline alone. */
  constructor(ms: number, shared?: SharedTimer) {
    this.#shared = shared
    this.#stop = shared ? noTimer : startTimer(() => this.expire(), ms)
  }

  /**
   * Calls `listener` when the deadline expires, or immediately if it has expired already.
   * @returns A function that removes the listener.
   */
  onExpire(listener: () => void): () => void {
    if (this.expired) {
      listener()
      return () => {}
    }
    if (this.#listener) {
      this.#others ??= new Set()
      this.#others.add(listener)
    } else this.#listener = listener
    return () => this.#forget(listener)
  }

  #forget(listener: () => void): void {
    if (this.#listener === listener) this.#listener = undefined
    else this.#others?.delete(listener)
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

  /** Stops the timer and removes all listeners. After that, the deadline does not expire any more. */
  clear(): void {
    this.#shared?.remove(this)
    this.#stop()
    this.#listener = undefined
    this.#others = undefined
  }

  /** Called by the timer. */
  expire(): void {
    this.expired = true
    this.#listener?.()
    for (const listener of this.#others ?? []) listener()
  }
}

const noTimer = () => {}

/**
 * One timer for all deadlines of the same length, which expire in the order in which they start. With a timer for each,
 * a request would cost 1 µs more. Not for Cloudflare Workers, which stop the timers of a request when the request ends.
 */
export class SharedTimer {
  readonly #ms: number
  /** In the order in which they expire. */
  readonly #deadlines = new LinkedList<Deadline>()
  #runs = false

  constructor(ms: number) {
    this.#ms = ms
  }

  /** Starts a deadline. @param now `performance.now()` */
  start(now: number): Deadline {
    const deadline = new Deadline(this.#ms, this)
    deadline.expiry = now + this.#ms
    this.#deadlines.add(deadline)
    if (!this.#runs) this.#startTimer(this.#ms)
    return deadline
  }

  /** Removes a deadline, so that it does not expire. A repeated call has no effect. */
  remove(deadline: Deadline): void {
    if (deadline.expiry === undefined) return
    deadline.expiry = undefined
    this.#deadlines.remove(deadline)
  }

  #startTimer(ms: number): void {
    this.#runs = true
    startTimer(() => this.#expireDue(), ms)
  }

  /** Expires the deadlines that are due, and starts the timer again for the first that is left, if there is one. */
  #expireDue(): void {
    this.#runs = false
    const now = performance.now()
    for (let first = this.#deadlines.first; first; first = this.#deadlines.first) {
      const left = (first.expiry as number) - now
      if (left > 0) {
        this.#startTimer(left)
        return
      }
      this.remove(first)
      first.expire()
    }
  }
}

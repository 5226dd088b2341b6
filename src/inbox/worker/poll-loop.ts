import { wait } from '../../runtime/timer.ts'
import { storeRetryDelay } from './worker-host.ts'

export interface PollLoopOptions {
  /** Maximum milliseconds of a sleep. */
  interval: number
  /** Looks for work and starts it. @returns whether it found any. */
  round(): Promise<boolean>
  failed(error: unknown): void
}

/**
 * Runs rounds, one after the other.
 *
 * - `created`: entered at construction. → `running` by `start()`; → `stopped` by `stop()`: `start()` then does nothing.
 * - `running`: is always in one of three phases:
 *   - a round: → a round if it found work or `wake()` was called during it; → a pause if it threw; → a sleep otherwise.
 *   - a sleep: → a round after `interval` or by `wake()`.
 *   - a pause: → a round after `storeRetryDelay`. `wake()` does not end it, because a store that has just failed must
 *     not be queried as often as deliveries arrive.
 * - `stopped`: entered by `stop()`; final. A sleep or a pause ends immediately. A round checks `isStopped` between its
 *   steps.
 */
export class PollLoop {
  readonly #options: PollLoopOptions
  readonly #stop = Promise.withResolvers<void>()
  #state: 'created' | 'running' | 'stopped' = 'created'
  /** Resolved by `wake()`; each round begins with a new one. */
  #wakeUp = Promise.withResolvers<void>()
  #lastRound: Promise<void> = Promise.resolve()

  constructor(options: PollLoopOptions) {
    this.#options = options
  }

  get isStopped(): boolean {
    return this.#state === 'stopped'
  }

  start(): void {
    if (this.#state !== 'created') return
    this.#state = 'running'
    this.#lastRound = this.#run()
  }

  /** Ends a sleep, or skips the next one, so that the next round starts now instead of at the next poll. */
  wake(): void {
    this.#wakeUp.resolve()
  }

  /** @returns a promise that resolves when the last round has ended. */
  stop(): Promise<void> {
    this.#state = 'stopped'
    this.#stop.resolve()
    this.wake()
    return this.#lastRound
  }

  /** Waits before a failed call of the store is repeated. */
  pause(): Promise<void> {
    return wait(storeRetryDelay, this.#stop.promise)
  }

  async #run(): Promise<void> {
    const { interval, round, failed } = this.#options
    while (!this.isStopped) {
      this.#wakeUp = Promise.withResolvers()
      try {
        const foundWork = await round()
        if (!foundWork) await wait(interval, this.#wakeUp.promise)
      } catch (error) {
        failed(error)
        await this.pause()
      }
    }
  }
}

/** Whether to query the store for one kind of work. */
export class WorkSignal {
  #isRaised = true
  #takenAt = Number.NEGATIVE_INFINITY

  /** Signals that there may be work. */
  raise(): void {
    this.#isRaised = true
  }

  /**
   * Clears the signal.
   * @returns whether to query now: after a signal, or `interval` milliseconds after the last query. The second case is
   * for work that other processes make available, which a store need not signal.
   */
  take(interval: number): boolean {
    const now = performance.now()
    if (!this.#isRaised && now - this.#takenAt < interval) return false
    this.#isRaised = false
    this.#takenAt = now
    return true
  }
}

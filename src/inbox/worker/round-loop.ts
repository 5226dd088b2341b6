import { wait } from '../../runtime/timer.ts'
import { storeRetryDelay } from './worker-host.ts'

interface RoundLoopOptions {
  /** Maximum milliseconds of a sleep. */
  interval: number
  /** Looks for work and starts it. @returns whether it found any. */
  round(): Promise<boolean>
  failed(error: unknown): void
}

/**
 * Runs the rounds of a worker, one after the other. Two methods drive the same rounds: `start()` polls until `stop()`,
 * and `runUntil()` ends as soon as there is nothing left to do.
 *
 * - `created`: entered at construction. → `running` by `start()` or `runUntil()`; → `stopped` by `stop()`: these methods
 *   then run no round.
 * - `running`: is always in one of three phases:
 *   - a round: → a round if it found work or `wake()` was called during it; → a pause if it threw; → a sleep otherwise.
 *   - a sleep: → a round after `interval` or by `wake()`.
 *   - a pause: → a round after `storeRetryDelay`. `wake()` does not end it, because a store that has just failed must
 *     not be queried as often as deliveries arrive.
 *
 *   After `runUntil()`, `isDone` is asked before each sleep, and an error ends the loop instead of a pause.
 * - `stopped`: entered by `stop()`; final. A sleep or a pause ends immediately. A round checks `isStopped` between its
 *   steps.
 */
export class RoundLoop {
  readonly #options: RoundLoopOptions
  readonly #stop = Promise.withResolvers<void>()
  #state: 'created' | 'running' | 'stopped' = 'created'
  /** Resolved by `wake()`; each round begins with a new one. */
  #wakeUp = Promise.withResolvers<void>()
  #lastRound: Promise<void> = Promise.resolve()

  constructor(options: RoundLoopOptions) {
    this.#options = options
  }

  get isStopped(): boolean {
    return this.#state === 'stopped'
  }

  /** Runs rounds until `stop()`. Has an effect only once. */
  start(): void {
    if (this.#state !== 'created') return
    this.#state = 'running'
    this.#lastRound = this.#poll()
  }

  /**
   * Runs rounds until one of them finds no work and `isDone` then returns true, or until `stop()`. Keeps the process
   * alive.
   * @throws the error of a round or of `isDone`.
   */
  async runUntil(isDone: () => Promise<boolean>): Promise<void> {
    if (this.#state !== 'created') return
    this.#state = 'running'
    const rounds = this.#run(isDone, true)
    this.#lastRound = rounds.catch(() => undefined)
    await Promise.race([rounds, this.#stop.promise])
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
    return this.wait(storeRetryDelay)
  }

  /** Waits for `ms` milliseconds, or until `end` resolves or `stop()` is called. */
  wait(ms: number, end?: Promise<unknown>): Promise<void> {
    return wait(ms, Promise.race([this.#stop.promise, ...(end ? [end] : [])]))
  }

  async #poll(): Promise<void> {
    while (!this.isStopped) {
      try {
        await this.#run(async () => false, false)
      } catch (error) {
        this.#options.failed(error)
        await this.pause()
      }
    }
  }

  /** @param keepAlive Whether a sleep keeps the process alive. */
  async #run(isDone: () => Promise<boolean>, keepAlive: boolean): Promise<void> {
    const { interval, round } = this.#options
    while (!this.isStopped) {
      this.#wakeUp = Promise.withResolvers()
      if (await round()) continue
      if (await isDone()) return
      await wait(interval, this.#wakeUp.promise, keepAlive)
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

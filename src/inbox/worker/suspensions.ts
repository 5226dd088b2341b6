import { builtinModule } from '../../runtime/platform.ts'
import { startTimer } from '../../runtime/timer.ts'
import type { Clock } from '../inbox.ts'

/** When a call of the store began that may acquire leases. */
export interface CallTime {
  /** By `performance.now()`. */
  at: number
  /** The number of suspensions before it. */
  suspensions: number
}

/** Milliseconds. An answer that arrives sooner is never late, because tests use heartbeats of a few milliseconds. */
const minLateness = 1000

/** Milliseconds. If two clocks differ by more, one of them was set, or the machine was suspended. */
const maxDrift = 1000

/**
 * Counts how often this process was suspended for longer than its leases last without heartbeats: by SIGSTOP, or with
 * its machine, when a laptop sleeps or a virtual machine is paused. Meanwhile, another process may have reclaimed the
 * leases. So a task that was claimed before a suspension must not start after it.
 *
 * Compares two clocks with their values at the last look, and takes the larger difference: the monotonic clock stops
 * while the machine is suspended, and an operator may set the other clock. If the clock is set forward, that counts as
 * a suspension too. This costs little: the tasks that have not started are claimed again. If the clock is set back while
 * the machine is suspended, only the uptime shows the suspension. Reading it takes 4 µs, so it is read only if the two
 * clocks differ.
 */
export class Suspensions {
  readonly #limit: number
  readonly #clock: Clock
  #count = 0
  #monotonic = performance.now()
  #time: number
  #sleep = sleepOfMachine()
  #stopTimer: (() => void) | undefined
  #isStopped = false

  /**
   * @param limit Milliseconds for which the leases last without heartbeats.
   * @param clock That of the machine.
   */
  constructor(limit: number, clock: Clock) {
    this.#limit = limit
    this.#clock = clock
    this.#time = clock.now()
  }

  /** The number of suspensions until now. */
  get count(): number {
    const [monotonic, time] = [performance.now(), this.#clock.now()]
    const [ran, passed] = [monotonic - this.#monotonic, time - this.#time]
    const slept = Math.abs(ran - passed) > maxDrift ? this.#newSleep() : 0
    if (Math.max(ran + slept, passed) > this.#limit) this.#count++
    this.#monotonic = monotonic
    this.#time = time
    return this.#count
  }

  /** Milliseconds for which the machine was suspended since the last call. */
  #newSleep(): number {
    const before = this.#sleep
    this.#sleep = sleepOfMachine()
    return this.#sleep - before
  }

  /** The time of a call that begins now. */
  callTime(): CallTime {
    return { at: performance.now(), suspensions: this.count }
  }

  /**
   * Whether the leases that a call has acquired may have expired before its answer arrived now. If the network stalls,
   * the heartbeats do not reach the store either, although this process runs.
   * @param share The share of this time that the answer may take.
   */
  isLate({ at }: CallTime, share: number = 1): boolean {
    return performance.now() - at > Math.max(share * this.#limit, minLateness)
  }

  /**
   * Looks at the clocks regularly from now on, so that a long wait is not taken for a suspension. Has no effect after
   * `stop()`.
   */
  start(): void {
    if (this.#isStopped) return
    this.#stopTimer?.()
    this.#stopTimer = startTimer(() => {
      void this.count
      this.start()
    }, this.#limit / 4)
  }

  stop(): void {
    this.#isStopped = true
    this.#stopTimer?.()
  }
}

/**
 * Milliseconds for which the machine was suspended, plus a constant: its uptime goes on meanwhile, and the monotonic clock
 * does not. 0 on platforms without Node.js's module `os`.
 */
function sleepOfMachine(): number {
  const os = builtinModule<{ uptime(): number }>('node:os')
  return os ? os.uptime() * 1000 - performance.now() : 0
}

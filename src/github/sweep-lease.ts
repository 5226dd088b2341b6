import type { Inbox } from '../inbox/inbox.ts'
import { startTimer } from '../runtime/timer.ts'
import type { Timing } from './timing.ts'

/**
 * Lets one process at a time sweep. It is kept by a timer, for a sweep may wait for GitHub longer than it would last;
 * that of a process that died ends by itself.
 */
export class SweepLease {
  readonly #inbox: Pick<Inbox, 'lease'>
  readonly #name: string
  readonly #timing: Timing
  readonly #holder = crypto.randomUUID()
  #taken = false
  #lost = false
  #keptAt = 0
  #stopTimer: () => void = () => {}

  constructor(inbox: Pick<Inbox, 'lease'>, name: string, timing: Timing) {
    this.#inbox = inbox
    this.#name = name
    this.#timing = timing
  }

  /** @returns Whether nobody else has it, nor another sweep of this process. */
  async take(): Promise<boolean> {
    if (this.#taken) return false
    this.#taken = true
    this.#lost = false
    try {
      this.#taken = await this.#keep()
    } catch (error) {
      this.#taken = false
      throw error
    }
    if (this.#taken) this.#keepOn()
    return this.#taken
  }

  /** @throws if another process has taken the sweep for that of one that died. */
  async check(): Promise<void> {
    const stale = performance.now() - this.#keptAt >= this.#timing.renewal // as after the machine stood still
    if (!this.#lost && (!stale || (await this.#keep()))) return
    throw new Error('Another process goes on with this sweep')
  }

  /** Gives it back, so that nobody has to wait until it ends. */
  async release(): Promise<void> {
    this.#stopTimer()
    try {
      if (!this.#lost) await this.#inbox.lease(this.#name, this.#holder, 0)
    } finally {
      this.#taken = false
    }
  }

  async #keep(): Promise<boolean> {
    const now = performance.now()
    const kept = await this.#inbox.lease(this.#name, this.#holder, this.#timing.lease)
    if (kept) this.#keptAt = now
    else this.#lost = true
    return kept
  }

  #keepOn(): void {
    const again = () => {
      if (this.#taken && !this.#lost) this.#keepOn()
    }
    // What cannot be kept now is tried again, and `check` throws what keeps it from that.
    this.#stopTimer = startTimer(() => void this.#keep().then(again, again), this.#timing.renewal / 2)
  }
}

import type { BasicStore } from '../inbox/inbox.ts'
import type { ScheduleInbox, Scheduler, SchedulerParts } from './scheduler.ts'

interface LazySchedulerParts extends Omit<SchedulerParts, 'inbox'> {
  inbox: BasicStore
  /** @throws {TypeError} if this inbox cannot have schedules. */
  check(): void
}

/** A scheduler that imports its code when the first schedule is registered, because most applications have none. */
export class LazyScheduler {
  readonly #parts: LazySchedulerParts
  #loading: Promise<Scheduler> | undefined
  #isStopped = false

  constructor(parts: LazySchedulerParts) {
    this.#parts = parts
  }

  check(): void {
    this.#parts.check()
  }

  /** Handlers may have been registered or removed. */
  schedulesChanged(): void {
    if (this.#isStopped || (!this.#loading && this.#parts.schedules().length === 0)) return
    this.#loading ??= this.#load()
    this.#loading.then(
      (scheduler) => void (this.#isStopped || scheduler.wake()),
      (err: unknown) => {
        this.#parts.logger.error({ err }, 'Cannot load the scheduler; no schedule runs: install hookserver again')
      },
    )
  }

  /** See `Scheduler.stop`. */
  async stop(): Promise<void> {
    this.#isStopped = true
    const scheduler = await this.#loading?.catch(() => undefined)
    await scheduler?.stop()
  }

  async #load(): Promise<Scheduler> {
    const { Scheduler } = await import('./scheduler.ts')
    const { inbox, ...parts } = this.#parts
    return new Scheduler({ ...parts, inbox: inbox as ScheduleInbox }) // `check` has checked its capabilities
  }
}

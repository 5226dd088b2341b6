import type { ClaimedTask, Inbox, StoredDelivery } from '../inbox.ts'
import { estimateParsedSize } from '../parsed-size.ts'
import type { Slots } from './concurrency.ts'
import type { Execution } from './execution.ts'
import { type Clock, registrationsOf, type WorkerHost } from './worker-host.ts'

/** A task that began in the place of one that ended. */
interface NextClaimedTask extends ClaimedTask {
  worker: number
  chainStart: number
}

/** Loads the deliveries of tasks that have begun in the store, and runs them. */
export class TaskStarter {
  readonly #inbox: Inbox
  readonly #host: WorkerHost
  readonly #clock: Clock
  readonly #slots: Slots
  readonly #nextTasks: NextClaimedTask[] = []
  #startingNext: Promise<void> | undefined

  constructor(inbox: Inbox, host: WorkerHost, clock: Clock, slots: Slots) {
    this.#inbox = inbox
    this.#host = host
    this.#clock = clock
    this.#slots = slots
  }

  /** Runs tasks; each takes a slot. */
  async start(
    execution: Execution,
    worker: number,
    tasks: readonly (ClaimedTask & { chainStart?: number })[],
  ): Promise<void> {
    if (tasks.length === 0) return
    const loaded = await this.#load(worker, tasks)
    const deliveries = new Map(loaded.map((delivery) => [delivery.id, delivery]))
    const registrations = registrationsOf(this.#host)
    const unknown = tasks.filter(({ handler }) => !registrations.has(handler)) // removed since they were claimed
    if (unknown.length > 0) await this.release(worker, unknown)
    for (const task of tasks) {
      const stored = deliveries.get(task.id)
      const registration = registrations.get(task.handler)
      if (!stored || !registration) continue // deleted by hand, or released
      this.#slots.take(task.handler)
      const cost = estimateParsedSize(stored.body, stored.form)
      execution.begin({
        ...task,
        worker,
        registration,
        stored,
        data: undefined,
        cost,
        chainStart: task.chainStart ?? performance.now(),
      })
    }
  }

  /**
   * Runs a task that began in the place of one that ended; its slot is taken. Tasks of one turn of the event loop are
   * started together.
   * @param start Starts tasks, or gives them back.
   */
  next(
    task: NextClaimedTask,
    start: (worker: number, tasks: readonly NextClaimedTask[]) => Promise<void>,
  ): Promise<void> {
    this.#nextTasks.push(task)
    this.#startingNext ??= Promise.resolve().then(async () => {
      const tasks = this.#nextTasks.splice(0)
      this.#startingNext = undefined
      for (const { handler } of tasks) this.#slots.release(handler) // `start` takes them again
      const byWorker = Map.groupBy(tasks, ({ worker }) => worker)
      await Promise.all([...byWorker].map(([worker, own]) => start(worker, own)))
    })
    return this.#startingNext
  }

  /** Gives tasks back to the store, and counts no attempt. */
  async release(worker: number, tasks: readonly ClaimedTask[]): Promise<void> {
    const released = { outcome: 'released', startedAt: this.#clock.now(), duration: 0 } as const
    await this.#inbox.finish(
      worker,
      tasks.map(({ id, handler, attempt }) => ({ id, handler, attempt, ...released })),
    )
  }

  async #load(worker: number, tasks: readonly ClaimedTask[]): Promise<StoredDelivery[]> {
    try {
      return await this.#inbox.load([...new Set(tasks.map(({ id }) => id))])
    } catch (error) {
      await this.release(worker, tasks) // so that they do not wait for what runs
      throw error
    }
  }
}

import type { ClaimedTask, Inbox, StoredDelivery } from '../inbox.ts'
import { estimateParsedSize } from '../parsed-size.ts'
import type { NextTask } from './attempt.ts'
import type { Slots } from './concurrency.ts'
import type { Execution } from './execution.ts'
import { type Clock, registrationsOf, type WorkerHost } from './worker-host.ts'

export interface TaskStarterOptions {
  inbox: Inbox
  host: WorkerHost
  clock: Clock
  slots: Slots
  execution: Execution
  /** Whether a worker id may start the task that follows one that has ended. */
  mayStartNext(worker: number): boolean
  /** The store failed: the leases of the tasks are released with the worker. */
  failed(error: unknown): void
}

/** Loads the deliveries of claimed tasks, and runs the tasks. */
export class TaskStarter {
  readonly #options: TaskStarterOptions
  readonly #queue: NextTask[] = []
  #startingQueue: Promise<void> | undefined

  constructor(options: TaskStarterOptions) {
    this.#options = options
  }

  /** Takes a slot for each task and runs it. */
  async start(worker: number, tasks: readonly (ClaimedTask | NextTask)[]): Promise<void> {
    if (tasks.length === 0) return
    const { host, slots, execution } = this.#options
    const deliveries = new Map((await this.#load(worker, tasks)).map((stored) => [stored.id, stored]))
    const registrations = registrationsOf(host)
    const removed = tasks.filter(({ handler }) => !registrations.has(handler)) // since they were claimed
    if (removed.length > 0) await this.#release(worker, removed)
    for (const task of tasks) {
      const stored = deliveries.get(task.id)
      const registration = registrations.get(task.handler)
      if (!stored || !registration) continue // an operator deleted the delivery, or the task was released
      slots.take(task.handler)
      const cost = estimateParsedSize(stored.body, stored.form)
      const chainStart = 'chainStart' in task ? task.chainStart : performance.now()
      execution.start({ ...task, worker, registration, stored, data: undefined, cost, chainStart })
    }
  }

  /** Runs a task in place of one that has ended. Tasks of one turn of the event loop are loaded together. */
  startNext(next: NextTask): Promise<void> {
    this.#queue.push(next)
    this.#startingQueue ??= Promise.resolve().then(() => this.#startQueue())
    return this.#startingQueue
  }

  async #startQueue(): Promise<void> {
    const tasks = this.#queue.splice(0)
    this.#startingQueue = undefined
    for (const { handler } of tasks) this.#options.slots.release(handler) // `start` takes it again
    const byWorker = Map.groupBy(tasks, ({ worker }) => worker)
    await Promise.all([...byWorker].map(([worker, own]) => this.#startOrRelease(worker, own)))
  }

  async #startOrRelease(worker: number, tasks: readonly NextTask[]): Promise<void> {
    try {
      if (this.#options.mayStartNext(worker)) await this.start(worker, tasks)
      else await this.#release(worker, tasks)
    } catch (error) {
      this.#options.failed(error)
    }
  }

  /** Makes tasks due again; the attempt does not count. */
  async #release(worker: number, tasks: readonly ClaimedTask[]): Promise<void> {
    const { inbox, clock } = this.#options
    const released = { outcome: 'released', startedAt: clock.now(), duration: 0 } as const
    const results = tasks.map(({ id, handler, attempt }) => ({ id, handler, attempt, ...released }))
    await inbox.finish(worker, results)
  }

  async #load(worker: number, tasks: readonly ClaimedTask[]): Promise<StoredDelivery[]> {
    try {
      return await this.#options.inbox.load([...new Set(tasks.map(({ id }) => id))])
    } catch (error) {
      await this.#release(worker, tasks) // now, and not when the running attempts have ended
      throw error
    }
  }
}

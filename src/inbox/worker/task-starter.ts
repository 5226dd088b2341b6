import type { ClaimedTask, StoredDelivery } from '../inbox.ts'
import { estimateParsedSize } from '../parsed-size.ts'
import type { NextTask } from './attempt.ts'
import type { Execution } from './execution.ts'
import { registrationsOf, type WorkerContext } from './worker-host.ts'

/** Loads the deliveries of claimed tasks, and runs the tasks. */
export class TaskStarter {
  readonly #context: WorkerContext
  readonly #execution: Execution
  readonly #queue: NextTask[] = []
  #startingQueue: Promise<void> | undefined

  constructor(context: WorkerContext, execution: Execution) {
    this.#context = context
    this.#execution = execution
  }

  /** Takes a slot for each task and runs it. Releases the tasks whose handlers have been removed. */
  async start(worker: number, tasks: readonly (ClaimedTask | NextTask)[]): Promise<void> {
    if (tasks.length === 0) return
    const { host, slots } = this.#context
    const deliveries = new Map((await this.#load(worker, tasks)).map((stored) => [stored.id, stored]))
    const registrations = registrationsOf(host)
    // The program has removed the handlers of these tasks after the tasks were claimed.
    const removed = tasks.filter(({ handler }) => !registrations.has(handler))
    if (removed.length > 0) await this.#release(worker, removed)
    for (const task of tasks) {
      const stored = deliveries.get(task.id)
      const registration = registrations.get(task.handler)
      if (!stored || !registration) continue // the delivery was discarded and pruned, or the task was released above
      slots.take(task.handler)
      const cost = estimateParsedSize(stored.body, stored.form)
      const chainStart = 'chainStart' in task ? task.chainStart : performance.now()
      this.#execution.start({ ...task, worker, registration, stored, payload: undefined, cost, chainStart })
    }
  }

  /**
   * Runs the next task of a chain in the slot of the task that has ended. If the worker may not start the next task,
   * releases its lease and the slot instead. The deliveries of all calls in one turn of the event loop are loaded
   * together.
   */
  startNext(next: NextTask): Promise<void> {
    this.#queue.push(next)
    this.#startingQueue ??= Promise.resolve().then(() => this.#startQueue())
    return this.#startingQueue
  }

  async #startQueue(): Promise<void> {
    const tasks = this.#queue.splice(0)
    this.#startingQueue = undefined
    for (const { handler } of tasks) this.#context.slots.release(handler) // `start` takes it again
    const byWorker = Map.groupBy(tasks, ({ worker }) => worker)
    await Promise.all([...byWorker].map(([worker, own]) => this.#startOrRelease(worker, own)))
  }

  async #startOrRelease(worker: number, tasks: readonly NextTask[]): Promise<void> {
    try {
      if (this.#context.mayStartNext(worker)) await this.start(worker, tasks)
      else await this.#release(worker, tasks)
    } catch (error) {
      this.#context.storeFailed(error)
    }
  }

  /** Makes tasks due again; the attempt does not count. */
  async #release(worker: number, tasks: readonly ClaimedTask[]): Promise<void> {
    const { inbox, clock } = this.#context
    const released = { outcome: 'released', startedAt: clock.now(), duration: 0 } as const
    const results = tasks.map(({ id, handler, attempt }) => ({ id, handler, attempt, ...released }))
    await inbox.finish(worker, results)
  }

  async #load(worker: number, tasks: readonly ClaimedTask[]): Promise<StoredDelivery[]> {
    try {
      return await this.#context.inbox.load([...new Set(tasks.map(({ id }) => id))])
    } catch (error) {
      // Otherwise, the leases would be released only when all attempts with this worker id have ended.
      await this.#release(worker, tasks)
      throw error
    }
  }
}

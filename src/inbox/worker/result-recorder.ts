import { sleep } from '../../runtime/timer.ts'
import type { AttemptResult, DeliveryStatus, Inbox } from '../inbox.ts'
import type { RunningTask } from './attempt.ts'
import { type Slots, smallBody } from './concurrency.ts'
import { storeRetryDelay, type WorkerHost } from './worker-host.ts'

/** Milliseconds of a chain, after which other due tasks get the slot. */
const maxChain = 1000

export interface ResultRecorderOptions {
  inbox: Inbox
  host: WorkerHost
  slots: Slots
  /** Aborted when the worker stops waiting for its attempts. */
  shutdown: AbortSignal
  /** Whether a worker id may start the task that follows one that has ended. */
  mayStartNext(worker: number): boolean
}

/** Records the results of attempts in the store, and claims the next task of a chain by the same call. */
export class ResultRecorder {
  readonly #options: ResultRecorderOptions

  constructor(options: ResultRecorderOptions) {
    this.#options = options
  }

  /**
   * Repeats a call that fails until the store answers.
   * @returns nothing if the lease has moved, or if the call fails during a shutdown: then the lease is released, and the
   * attempt is repeated.
   */
  async record(task: RunningTask, result: AttemptResult): Promise<DeliveryStatus | undefined> {
    const { host, shutdown } = this.#options
    let claimNext = false
    for (;;) {
      claimNext ||= this.#mayClaimNext(task) // stays true: the store may have claimed a task though its answer was lost
      try {
        return await (claimNext ? this.#finishAndClaimNext(task, result) : this.#finish(task, result))
      } catch (err) {
        const { handler, stored } = task
        host.logger.error({ err, handler, guid: stored.guid }, 'The result of an attempt could not be recorded')
        if (shutdown.aborted) return undefined
        await sleep(storeRetryDelay, shutdown, { keepAlive: true })
      }
    }
  }

  async #finish({ worker }: RunningTask, result: AttemptResult): Promise<DeliveryStatus | undefined> {
    const [status] = await this.#options.inbox.finish(worker, [result])
    return status
  }

  /** Takes a slot for the next task, which keeps it if the store claims one. */
  async #finishAndClaimNext(task: RunningTask, result: AttemptResult): Promise<DeliveryStatus | undefined> {
    const { slots } = this.#options
    slots.take(task.handler)
    let status: DeliveryStatus | undefined
    try {
      status = await this.#finish(task, { ...result, nextBytes: smallBody })
      return status
    } finally {
      if (!status?.next) slots.release(task.handler)
    }
  }

  #mayClaimNext({ worker, registration, chainStart }: RunningTask): boolean {
    if (registration.options.order === undefined || performance.now() - chainStart > maxChain) return false
    return this.#options.mayStartNext(worker) && this.#options.slots.free(registration) > 0
  }
}

import { startTimer } from '../../runtime/timer.ts'
import type { Inbox } from '../inbox.ts'
import type { WorkerProblem } from '../processes.ts'
import type { Worker } from './worker.ts'
import type { WorkerHost } from './worker-host.ts'

/**
 * A worker that imports its code only when it is created, because most applications have no inbox. Before it has
 * started, it need not react to `wake()` and `handlersChanged()`, because its first round looks for all work, with the
 * handlers that are registered by then.
 *
 *     loading --imported--> started, in the next turn of the event loop --stop()--> stopped
 *     loading --stop()--> stopped: it never starts
 *     loading --import fails--> failed: it logs the error, and never starts
 */
export class LazyWorker {
  readonly #loading: Promise<void>
  #worker: Worker | undefined
  #isStopped = false

  constructor(inbox: Inbox, host: WorkerHost) {
    this.#loading = this.#load(inbox, host)
  }

  /** Problems that keep the worker from running all due tasks. */
  get problems(): readonly WorkerProblem[] {
    return this.#worker?.problems ?? []
  }

  /** Starts the next round now, because there may be unmatched deliveries. */
  wake(): void {
    this.#worker?.wake()
  }

  handlersChanged(): void {
    this.#worker?.handlersChanged()
  }

  /** See `Worker.stop`. */
  async stop(grace: number): Promise<void> {
    this.#isStopped = true
    await this.#loading
    await this.#worker?.stop(grace)
  }

  async #load(inbox: Inbox, host: WorkerHost): Promise<void> {
    try {
      const { Worker } = await import('./worker.ts')
      if (this.#isStopped) return
      const worker = new Worker(inbox, host)
      this.#worker = worker
      startTimer(() => worker.start(), 0) // after the application has registered its handlers
    } catch (err) {
      host.logger.error({ err }, 'Cannot load the worker; no handler runs: install hookserver again')
    }
  }
}

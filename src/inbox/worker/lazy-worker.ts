import { startTimer } from '../../runtime/timer.ts'
import type { TaskQueue } from '../inbox.ts'
import type { WorkerProblem } from '../processes.ts'
import type { DrainLimits, DrainResult, Worker } from './worker.ts'
import type { WorkerHost } from './worker-host.ts'

/**
 * A worker that imports its code only when it is created, because most applications have no inbox. Before its first
 * round, it need not react to `wake()` and `handlersChanged()`, because that round looks for all work, with the handlers
 * that are registered by then.
 *
 *     loading --imported--> loaded --start()--> running, from the next turn of the event loop on --stop()--> stopped
 *                           loaded --drain()--> running --it ends or stop()--> stopped
 *     loading --stop()--> stopped: it never runs
 *     loading --import fails--> failed: `start()` logs the error, `drain()` rejects with it
 */
export class LazyWorker {
  readonly #host: WorkerHost
  readonly #loading: Promise<Worker>
  #worker: Worker | undefined
  #isStopped = false

  constructor(inbox: TaskQueue, host: WorkerHost) {
    this.#host = host
    this.#loading = this.#load(inbox)
    this.#loading.catch(() => undefined) // reported by `start()` or `drain()`
  }

  /** Runs rounds until `stop()`. */
  start(): void {
    this.#loading.then(
      // In the next turn of the event loop, after the application has registered its handlers.
      (worker) => startTimer(() => this.#isStopped || worker.start(), 0),
      (err: unknown) => {
        this.#host.logger.error({ err }, 'Cannot load the worker; no handler runs: install hookserver again')
      },
    )
  }

  /** See `Worker.drain`. */
  async drain(limits: DrainLimits): Promise<DrainResult> {
    const worker = await this.#loading
    return worker.drain(limits)
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
    const worker = await this.#loading.catch(() => undefined)
    await worker?.stop(grace)
  }

  async #load(inbox: TaskQueue): Promise<Worker> {
    const { Worker } = await import('./worker.ts')
    this.#worker = new Worker(inbox, this.#host)
    return this.#worker
  }
}

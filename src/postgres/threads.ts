import { setTimeout } from 'node:timers/promises'
import type { GoneTasks, HandlerPolicy } from '../inbox/inbox.ts'
import type { PayloadMatch } from '../inbox/query/payload-search.ts'
import type { PathCondition } from '../inbox/query/query.ts'
import type { MaintenanceFailure } from '../inbox/records.ts'
import type { WorkersOfProcess } from '../inbox/worker-heartbeats.ts'
import { Mutex } from '../runtime/mutex.ts'
import { ThreadClient, threadFile } from '../runtime/thread-client.ts'
import type { Contents } from './delivery-store/contents.ts'
import type { ConnectionTarget, PostgresSettings } from './options.ts'

export type ThreadData =
  | { role: 'maintenance'; target: ConnectionTarget; settings: PostgresSettings }
  | { role: 'search' }

/** The calls of the maintenance thread. */
export interface MaintenanceCalls {
  /** Sends the heartbeats of a worker from now on. */
  addWorker(worker: number, handlers: readonly HandlerPolicy[]): void
  /** Stops the heartbeats of a worker. @returns False while a heartbeat is on its way: then call this again. */
  removeWorker(worker: number): boolean
  /** Tells the thread that the event loop of its process is not blocked. @returns the thread's failures, if any. */
  ping(): readonly MaintenanceFailure[]
}

/** The calls of the search thread. */
export interface SearchCalls {
  /** Whether each payload meets all conditions. */
  matches(contents: readonly Contents[], paths: readonly PathCondition[]): PayloadMatch[]
}

/** The program of both threads. @throws {Error} in the bundle of an application, which lacks the program. */
const program = (): URL => threadFile(() => new URL('../postgres/thread.js', import.meta.url), 'postgres')

const closedMessage = 'The inbox is closed'

/** Milliseconds between two pings. The next ping replaces a thread that has died. */
const pingInterval = 1000

/** Starts and calls the maintenance thread, which does not keep the process alive. */
export class MaintenanceClient {
  /** The failures that the thread last reported. */
  failing: readonly MaintenanceFailure[] = []
  readonly #thread: ThreadClient<MaintenanceCalls>
  readonly #workers: WorkersOfProcess = new Map()
  #timer: NodeJS.Timeout | undefined
  #isPinging = false

  /** @param onGone Called when the thread has ended tasks as `gone`. */
  constructor(target: ConnectionTarget, settings: PostgresSettings, onGone: (tasks: GoneTasks) => void) {
    this.#thread = new ThreadClient({
      program: program(),
      name: 'hookserver maintenance',
      data: { role: 'maintenance', target, settings } satisfies ThreadData,
      closedMessage,
      keepsAlive: false,
      prelude: () => [...this.#workers].map((worker) => ({ method: 'addWorker', args: worker })),
      onEvent: (event) => onGone(event as GoneTasks),
    })
  }

  /** Starts the thread, if it has not been started. */
  start(): void {
    this.#timer ??= setInterval(() => void this.#ping(), pingInterval).unref()
    this.#thread.start()
  }

  /** Sends the heartbeats of a worker from now on. */
  addWorker(worker: number, handlers: readonly HandlerPolicy[]): void {
    this.#workers.set(worker, handlers)
    this.start()
    // If the thread ends before it answers, this call fails. `prelude`, see above, adds all workers to the next thread.
    this.#thread.call('addWorker', worker, handlers).catch(() => undefined)
  }

  /**
   * Stops the heartbeats of the worker. Resolves when none of them is on its way, because a late heartbeat would
   * register the worker again after its release. A new thread does not send them.
   */
  async removeWorker(worker: number): Promise<void> {
    this.#workers.delete(worker)
    while (!(await this.#thread.call('removeWorker', worker).catch(() => true))) await setTimeout(10)
  }

  /** Resolves once the thread has ended. */
  close(): Promise<void> {
    clearInterval(this.#timer)
    return this.#thread.close()
  }

  async #ping(): Promise<void> {
    if (this.#isPinging) return
    this.#isPinging = true
    try {
      this.failing = await this.#thread.call('ping')
    } catch {
      // The thread died: the next ping starts another.
    } finally {
      this.#isPinging = false
    }
  }
}

/** Starts and calls the search thread, which parses payloads without blocking the event loop of the process. */
export class PayloadSearch {
  readonly #mutex = new Mutex()
  readonly #thread = new ThreadClient<SearchCalls>({
    program: program(),
    name: 'hookserver search',
    data: { role: 'search' } satisfies ThreadData,
    closedMessage,
  })

  /** Whether each payload meets all conditions. Searches run one after the other. */
  matches(contents: readonly Contents[], paths: readonly PathCondition[]): Promise<PayloadMatch[]> {
    return this.#mutex.run(() => this.#thread.call('matches', contents, paths))
  }

  /** Resolves once pending searches are answered and the thread has ended. */
  close(): Promise<void> {
    return this.#thread.close()
  }
}

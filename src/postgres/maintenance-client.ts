import { Worker } from 'node:worker_threads'
import type { HandlerPolicy } from '../inbox/inbox.ts'
import { threadFile } from '../runtime/thread-client.ts'
import type { ConnectionTarget } from './connection-target.ts'
import type { MaintenanceMessage } from './maintenance-thread.ts'
import type { PostgresSettings } from './options.ts'

/** Milliseconds between two signs that the event loop of this process goes on. */
const sign = 1000

/** Milliseconds after which a thread is begun again that has ended by a fault. */
const restart = 1000

/** The program of the thread. @throws {Error} in a bundle, which has none. */
const threadEntry = (): URL =>
  threadFile(import.meta.url, 'maintenance-client', 'maintenance-thread', 'hookserver/postgres starts a thread')

/** The process's end of the thread that keeps. It is started by the first who needs it, and keeps no process from ending. */
export class MaintenanceClient {
  readonly #data: { target: ConnectionTarget; settings: PostgresSettings }
  readonly #workers = new Map<number, readonly HandlerPolicy[]>()
  #thread: Worker | undefined
  #timer: NodeJS.Timeout | undefined
  #closed: Promise<void> | undefined
  #failing: string | undefined

  constructor(target: ConnectionTarget, settings: PostgresSettings) {
    this.#data = { target, settings }
    threadEntry()
  }

  /** What it does that failed the last time, and why. */
  get failing(): string | undefined {
    return this.#failing
  }

  /** Starts the thread, if it does not run. */
  start(): void {
    if (this.#thread || this.#closed) return
    const thread = new Worker(threadEntry(), { workerData: this.#data, name: 'hookserver keeper' })
    thread.unref()
    thread.on('error', () => undefined)
    thread.on('message', (failing: string | undefined) => {
      this.#failing = failing
    })
    thread.on('exit', () => {
      if (thread === this.#thread) this.#thread = undefined
      if (!this.#closed && this.#workers.size > 0) setTimeout(() => this.start(), restart).unref() // those that it held beat on
    })
    this.#thread = thread
    for (const [hold, handlers] of this.#workers) this.#send({ hold, handlers })
    this.#timer ??= setInterval(() => this.#send('heard'), sign).unref()
  }

  /** Has a worker beat. */
  addWorker(worker: number, handlers: readonly HandlerPolicy[]): void {
    this.#workers.set(worker, handlers)
    this.start()
    this.#send({ hold: worker, handlers })
  }

  removeWorker(worker: number): void {
    this.#workers.delete(worker)
    this.#send({ letGo: worker })
  }

  /** Resolves once the thread has ended. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    clearInterval(this.#timer)
    const thread = this.#thread
    if (!thread) return
    const ended = new Promise((resolve) => thread.once('exit', resolve))
    thread.ref()
    this.#send('close')
    await ended
  }

  #send(message: MaintenanceMessage): void {
    this.#thread?.postMessage(message)
  }
}

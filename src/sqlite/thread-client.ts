import { Worker } from 'node:worker_threads'
import { threadFile } from '../runtime/thread-file.ts'
import { startTimer } from '../runtime/timer.ts'
import type { Answer, Call, ThreadSettings, ToThread } from './protocol.ts'

/** The program of both threads. @throws {Error} in a bundle, which has none. */
export const threadEntry = (): URL =>
  threadFile(import.meta.url, 'thread-client', 'thread', 'hookserver/sqlite starts threads')

/** Milliseconds that a thread has to end once it has closed its file. */
const closeTimeout = 1000

interface PendingCall extends Call {
  resolve(value: never): void
  reject(error: Error): void
}

/** Told of a message that was answered, and how many milliseconds that took. */
export type OnBatch = (calls: readonly Call[], answers: readonly Answer[], duration: number) => void

/**
 * The caller's end of a thread. One message is under way at a time, and what is asked for meanwhile travels together
 * in the next: for the thread that writes, that is the group commit.
 */
export class ThreadClient {
  readonly #settings: ThreadSettings
  readonly #prelude: () => Call[]
  readonly #witness: OnBatch | undefined
  #thread: Worker | undefined
  #waiting: PendingCall[] = []
  #sent: PendingCall[] = []
  #sentAt = 0
  #closing: PromiseWithResolvers<void> | undefined

  /** @param prelude What a new thread has to know before it is asked for anything. */
  constructor(settings: ThreadSettings, prelude: () => Call[] = () => [], witness?: OnBatch) {
    this.#settings = settings
    this.#prelude = prelude
    this.#witness = witness
  }

  call<Result>(method: string, ...args: unknown[]): Promise<Result> {
    if (this.#closing) return Promise.reject(new Error('The inbox is closed'))
    return new Promise<Result>((resolve, reject) => {
      this.#waiting.push({ method, args, resolve, reject })
      // Not before this turn of the event loop has asked for all that it asks for.
      if (this.#waiting.length === 1 && this.#sent.length === 0) setImmediate(() => this.#send())
    })
  }

  /** Starts the thread for what it does by itself, and leaves the process free to end. */
  start(): void {
    if (this.#thread || this.#closing) return
    this.#thread = this.#start()
    this.#thread.unref()
  }

  /** Resolves once the thread has ended. What was asked for before is still answered. */
  close(): Promise<void> {
    if (!this.#closing) {
      this.#closing = Promise.withResolvers()
      if (!this.#thread && this.#waiting.length === 0) this.#closing.resolve()
      else if (this.#waiting.length === 0 && this.#sent.length === 0) this.#end()
    }
    return this.#closing.promise
  }

  #send(): void {
    if (this.#sent.length > 0 || this.#waiting.length === 0) return
    const thread = (this.#thread ??= this.#start())
    this.#sent = this.#waiting
    this.#waiting = []
    this.#sentAt = performance.now()
    thread.ref() // somebody waits for the answer
    const calls = this.#sent.map(({ method, args }) => ({ method, args }))
    try {
      thread.postMessage({ calls } satisfies ToThread)
    } catch {
      this.#waiting = this.#sent.filter(canBeSent)
      this.#sent = []
      this.#goOn()
    }
  }

  #start(): Worker {
    // A thread inherits the flags of its process, and does not start with this one, which is for `node -e`.
    const forEval = process.execArgv.some((flag) => flag.startsWith('--input-type'))
    const thread = new Worker(threadEntry(), {
      workerData: this.#settings,
      name: `hookserver ${this.#settings.role}`,
      ...(forEval && { execArgv: [] }),
    })
    thread.on('message', (message: Answer[] | 'closed' | object) => {
      if (message === 'closed') expectEnd(thread)
      else if (Array.isArray(message)) this.#answered(message) // `node --watch` has its threads say what they import
    })
    thread.postMessage({ prelude: this.#prelude() } satisfies ToThread)
    thread.on('error', (error: Error) => this.#lost(thread, error))
    thread.on('exit', () => this.#lost(thread, new Error('The thread of the inbox ended')))
    return thread
  }

  #answered(answers: readonly Answer[]): void {
    const asked = this.#sent
    const duration = performance.now() - this.#sentAt
    this.#sent = []
    this.#goOn()
    for (const [index, { resolve, reject }] of asked.entries()) {
      const answer = answers[index] as Answer
      if ('value' in answer) resolve(answer.value as never)
      else reject(Object.assign(new Error(answer.error.message), answer.error))
    }
    this.#witness?.(asked, answers, duration)
  }

  #goOn(): void {
    if (this.#waiting.length > 0) this.#send()
    else if (this.#closing) this.#end()
    else this.#thread?.unref()
  }

  /** The thread is gone: who waits is told, and the next call starts another. */
  #lost(thread: Worker, error: Error): void {
    if (thread !== this.#thread) return
    this.#thread = undefined
    const lost = this.#sent
    this.#sent = []
    for (const { reject } of lost) reject(error)
    if (this.#waiting.length > 0) setImmediate(() => this.#send())
    else this.#closing?.resolve()
  }

  #end(): void {
    this.#thread?.ref()
    this.#thread?.postMessage('close' satisfies ToThread)
  }
}

/** What no thread can be given fails, and nothing that travels with it. */
function canBeSent({ args, reject }: PendingCall): boolean {
  try {
    structuredClone(args)
    return true
  } catch (error) {
    reject(error as Error)
    return false
  }
}

/**
 * A thread that has closed its file ends by itself, and is not broken off while it does. Only what somebody has every
 * thread load, by `--import`, keeps it alive for longer.
 */
function expectEnd(thread: Worker): void {
  const stop = startTimer(() => thread.terminate(), closeTimeout)
  thread.on('exit', stop)
}

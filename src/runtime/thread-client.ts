import { existsSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import {
  type Answer,
  type ArgsOf,
  addTransfer,
  type Call,
  type CallError,
  type FromThread,
  type MethodOf,
  type ResultOf,
  type ToThread,
} from './thread-server.ts'
import { startTimer } from './timer.ts'

export interface ThreadOptions<Served> {
  /** The file that the thread runs. It calls `serveThread`. */
  program: URL
  /** Shown in errors and in debuggers. */
  name: string
  /** `workerData` of the program. */
  data?: unknown
  /** The error message of calls after `close`. */
  closedMessage: string
  /** Whether a pending call keeps the process alive. Default: true. */
  keepsAlive?: boolean
  /** Calls that every new thread carries out first, for example to restore the state that a dead thread had. */
  prelude?: () => readonly Call<Served>[]
  /**
   * Bytes of a large call. 0: the call is small. Large calls go in batches of their own, so that small calls do not
   * wait for the commit of large ones. Default: all calls are small.
   */
  sizeOf?: (call: Call<Served>) => number
  onBatch?: OnBatch<Served>
  /** Called with each event that the server sends. */
  onEvent?: (event: unknown) => void
}

/** Called after a batch was answered. @param duration Milliseconds from sending the batch to its answers. */
export type OnBatch<Served> = (calls: readonly Call<Served>[], answers: readonly Answer[], duration: number) => void

/** The served functions as the caller sees them. */
export type RemoteMethods<Served, Name extends MethodOf<Served> = MethodOf<Served>> = {
  [Method in Name]: (...args: ArgsOf<Served, Method>) => Promise<ResultOf<Served, Method>>
}

interface PendingCall<Served> {
  call: Call<Served>
  /** Makes the arguments of the call when it is sent. */
  makeArgs?: (() => Call<Served>['args']) | undefined
  resolve(value: never): void
  reject(error: Error): void
}

/**
 * When a client closes its thread, the thread closes its `ThreadServer`, sends the notice `closed`, and ends on its
 * own. If the thread still runs this many milliseconds after the notice, the client terminates it. For example, a
 * module that `--import` loads into every thread can keep the thread running.
 */
const closeTimeout = 1000

/** Maximum bytes of a batch of large calls, apart from the first one. */
const maxLargeBytes = 4 * 1024 * 1024

/**
 * Calls functions in a worker thread. One batch of calls is under way at a time; calls that arrive meanwhile go
 * together in the next batch. A thread that commits once for each batch thereby has group commit.
 *
 * States:
 * - idle: no call is queued or under way. A call leads to *scheduled*. The thread, if there is one, does not keep the
 *   process alive.
 * - scheduled: calls are queued until the end of this turn of the event loop, then *sent*.
 * - sent: a batch is under way. Its answers lead to *sent* with the queued calls, or to *idle*. If the thread ends
 *   first, the calls of the batch are rejected, and the queued calls go to a new thread.
 * - closing: no call is accepted any more. Pending calls are answered, then the thread is told to close.
 */
export class ThreadClient<Served> {
  readonly #options: ThreadOptions<Served>
  #thread: Worker | undefined
  #queued: PendingCall<Served>[] = []
  #sent: PendingCall<Served>[] = []
  #sentAt = 0
  /** Whether large calls have waited for a batch of small ones, so that the next batch is theirs. */
  #largeWaited = false
  #closing: PromiseWithResolvers<void> | undefined

  constructor(options: ThreadOptions<Served>) {
    this.#options = options
  }

  call<Name extends MethodOf<Served>>(method: Name, ...args: ArgsOf<Served, Name>): Promise<ResultOf<Served, Name>> {
    return this.#enqueue({ method, args })
  }

  /** A call whose arguments are made when it is sent, so that the caller can add to them until then. */
  callLater<Name extends MethodOf<Served>>(
    method: Name,
    makeArgs: () => ArgsOf<Served, Name>,
  ): Promise<ResultOf<Served, Name>> {
    return this.#enqueue({ method, args: [] as never }, makeArgs)
  }

  #enqueue<Result>(call: Call<Served>, makeArgs?: PendingCall<Served>['makeArgs']): Promise<Result> {
    if (this.#closing) return Promise.reject(new Error(this.#options.closedMessage))
    return new Promise((resolve, reject) => {
      this.#queued.push({ call, makeArgs, resolve, reject })
      if (this.#queued.length === 1 && this.#sent.length === 0) setImmediate(() => this.#send())
    })
  }

  /** Functions that call the served functions of the same names. */
  methods<Name extends MethodOf<Served>>(names: readonly Name[]): RemoteMethods<Served, Name> {
    const functions = names.map((name) => [name, (...args: ArgsOf<Served, Name>) => this.call(name, ...args)])
    return Object.fromEntries(functions) as RemoteMethods<Served, Name>
  }

  /** Starts the thread now, instead of at the first call. The thread does not keep the process alive. */
  start(): void {
    if (!this.#closing) this.#thread ??= this.#start()
  }

  /** Closes the thread after it has answered the pending calls. Resolves once the thread has ended. */
  close(): Promise<void> {
    if (!this.#closing) {
      this.#closing = Promise.withResolvers()
      this.#thread?.ref()
      if (!this.#thread && this.#queued.length === 0) this.#closing.resolve()
      else if (this.#queued.length === 0 && this.#sent.length === 0) this.#closeThread()
    }
    return this.#closing.promise
  }

  #start(): Worker {
    const { program, name, data, prelude, onEvent } = this.#options
    // A thread inherits the flags of its process, but cannot start with `--input-type`, which `node -e` may need.
    const forEval = process.execArgv.some((flag) => flag.startsWith('--input-type'))
    const thread = new Worker(program, { workerData: data, name, ...(forEval && { execArgv: [] }) })
    thread.on('message', (message: FromThread | object) => {
      if ('answers' in message) this.#settle(message.answers)
      else if ('event' in message) onEvent?.(message.event)
      else if ('closed' in message) terminateLater(thread)
      // Other messages come from `node --watch`: its threads report their imports.
    })
    thread.on('error', (error: Error) => this.#lose(thread, error))
    thread.on('exit', () => this.#lose(thread, new Error(`The thread "${name}" ended`)))
    if (prelude) thread.postMessage({ prelude: prelude() } satisfies ToThread<Served>)
    thread.unref() // last: a listener of messages would keep the process alive again
    return thread
  }

  #send(): void {
    if (this.#sent.length > 0 || this.#queued.length === 0) return
    const thread = (this.#thread ??= this.#start())
    this.#sent = this.#takeBatch()
    this.#sentAt = performance.now()
    if (this.#options.keepsAlive !== false || this.#closing) thread.ref()
    const calls = this.#sent.map(callToSend)
    const buffers: ArrayBuffer[] = []
    for (const { args } of calls) for (const value of args) addTransfer(buffers, value)
    try {
      thread.postMessage({ calls } satisfies ToThread<Served>, buffers)
    } catch {
      this.#queued = [...this.#sent.filter(rejectUnlessCloneable), ...this.#queued]
      this.#sent = []
      this.#sendNext()
    }
  }

  /** Takes the queued calls of the next batch: the small ones, or some of the large ones. These two take turns. */
  #takeBatch(): PendingCall<Served>[] {
    const { sizeOf } = this.#options
    const sizes = this.#queued.map(({ call, makeArgs }) => (makeArgs ? 0 : (sizeOf?.(call) ?? 0)))
    const hasLarge = sizes.some((size) => size > 0)
    const takesLarge = hasLarge && (this.#largeWaited || sizes.every((size) => size > 0))
    this.#largeWaited = hasLarge && !takesLarge
    let bytes = 0
    const isTaken = sizes.map((size) => {
      if (size > 0 !== takesLarge || (bytes > 0 && bytes + size > maxLargeBytes)) return false
      bytes += size
      return true
    })
    const queued = this.#queued
    this.#queued = queued.filter((_, index) => !isTaken[index])
    return queued.filter((_, index) => isTaken[index])
  }

  #settle(answers: readonly Answer[]): void {
    const sent = this.#sent
    const duration = performance.now() - this.#sentAt
    this.#sent = []
    this.#sendNext()
    for (const [index, { resolve, reject }] of sent.entries()) {
      const answer = answers[index] as Answer
      if ('value' in answer) resolve(answer.value as never)
      else reject(callError(answer.error))
    }
    this.#options.onBatch?.(
      sent.map(({ call }) => call),
      answers,
      duration,
    )
  }

  #sendNext(): void {
    if (this.#queued.length > 0) this.#send()
    else if (this.#closing) this.#closeThread()
    else this.#thread?.unref()
  }

  /**
   * Called when the thread has ended. Rejects the calls that were sent to the thread. If calls are queued, starts
   * another thread for them. Otherwise, the next call starts another thread.
   */
  #lose(thread: Worker, error: Error): void {
    if (thread !== this.#thread) return
    this.#thread = undefined
    const lost = this.#sent
    this.#sent = []
    for (const { reject } of lost) reject(error)
    if (this.#queued.length > 0) setImmediate(() => this.#send())
    else this.#closing?.resolve()
  }

  #closeThread(): void {
    this.#thread?.postMessage({ close: true } satisfies ToThread<Served>)
  }
}

function callToSend<Served>(pending: PendingCall<Served>): Call<Served> {
  if (pending.makeArgs) pending.call.args = pending.makeArgs()
  pending.makeArgs = undefined
  return pending.call
}

/** The error that the thread threw. */
export const callError = (error: CallError): Error => Object.assign(new Error(error.message), error)

/** Rejects a call whose arguments cannot be cloned, so that the rest of its batch can be sent. */
function rejectUnlessCloneable<Served>({ call, reject }: PendingCall<Served>): boolean {
  try {
    structuredClone(call.args)
    return true
  } catch (error) {
    reject(error as Error)
    return false
  }
}

function terminateLater(thread: Worker): void {
  const stop = startTimer(() => thread.terminate(), closeTimeout)
  thread.on('exit', stop)
}

/**
 * The program of the threads of `folder`: `thread.js` in `dist`, `thread.ts` in the sources.
 * @param program Returns `new URL('../sqlite/thread.js', import.meta.url)` for the folder `sqlite`. The caller must contain
 * this literal: tools that collect the files of an application, such as `@vercel/nft`, do not find a computed path. The build
 * moves the caller to `dist/chunks`, so the path goes through the parent folder.
 * @throws {Error} in the bundle of an application. Most bundlers leave the file out. The bundlers of Next.js copy the
 *   file under another name, and the imports of the copy fail.
 */
export function threadFile(program: () => URL, folder: 'sqlite' | 'postgres'): URL {
  const url = urlOf(program)
  if (url?.protocol === 'file:' && url.pathname.endsWith(`/${folder}/thread.js`)) {
    const file = [url, new URL('thread.ts', url)].find((one) => existsSync(one))
    if (file) return file
  }
  throw new Error(
    `hookserver/${folder} cannot find the file that its threads run: ` +
      'configure your bundler to keep "hookserver" external',
  )
}

/** @returns `undefined` in a bundle of CommonJS, where `import.meta.url` is `undefined`. */
function urlOf(program: () => URL): URL | undefined {
  try {
    return program()
  } catch {
    return undefined
  }
}

/**
 * Replaces `src/runtime/thread-client.ts` in most tests: an inbox serves its calls in the thread of the test. The life
 * of an inbox in SQLite takes 6 ms of CPU this way, and 160 ms with its two threads.
 */
import { fileURLToPath } from 'node:url'
import {
  callError,
  type ThreadClient as RealClient,
  type RemoteMethods,
  type ThreadOptions,
} from '../../src/runtime/thread-client.ts'
import {
  type Answer,
  type ArgsOf,
  addTransfer,
  type Call,
  type MethodOf,
  type ResultOf,
  type ThreadServer,
} from '../../src/runtime/thread-server.ts'

export * from '../../src/runtime/thread-client.ts'

interface PendingCall<Served> {
  makeCall(): Call<Served>
  resolve(value: never): void
  reject(error: Error): void
}

/** The members of `RealClient` that callers use. */
type Client<Served> = Pick<RealClient<Served>, keyof RealClient<Served>>

/** Calls the server of a thread without the thread. Copies or transfers the results, as between threads. */
export class ThreadClient<Served> implements Client<Served> {
  readonly #options: ThreadOptions<Served>
  #queued: PendingCall<Served>[] = []
  #server: Promise<ThreadServer<Served>> | undefined
  /** The calls that have been sent are answered when this resolves. */
  #answered: Promise<void> = Promise.resolve()
  #closing: Promise<void> | undefined

  constructor(options: ThreadOptions<Served>) {
    this.#options = options
  }

  call<Name extends MethodOf<Served>>(method: Name, ...args: ArgsOf<Served, Name>): Promise<ResultOf<Served, Name>> {
    return this.#enqueue(() => ({ method, args }))
  }

  callLater<Name extends MethodOf<Served>>(
    method: Name,
    makeArgs: () => ArgsOf<Served, Name>,
  ): Promise<ResultOf<Served, Name>> {
    return this.#enqueue(() => ({ method, args: makeArgs() }))
  }

  methods<Name extends MethodOf<Served>>(names: readonly Name[]): RemoteMethods<Served, Name> {
    const functions = names.map((name) => [name, (...args: ArgsOf<Served, Name>) => this.call(name, ...args)])
    return Object.fromEntries(functions) as RemoteMethods<Served, Name>
  }

  start(): void {
    if (!this.#closing) this.#open().catch(() => undefined) // the next call rejects with the error
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#send()
    await this.#answered
    const server = await this.#server?.catch(() => undefined)
    await server?.close()
  }

  #enqueue<Result>(makeCall: () => Call<Served>): Promise<Result> {
    if (this.#closing) return Promise.reject(new Error(this.#options.closedMessage))
    return new Promise((resolve, reject) => {
      if (this.#queued.length === 0) setImmediate(() => this.#send())
      this.#queued.push({ makeCall, resolve, reject })
    })
  }

  #send(): void {
    this.#answered = this.#answered.then(() => this.#execute(this.#queued.splice(0)))
  }

  async #execute(sent: readonly PendingCall<Served>[]): Promise<void> {
    if (sent.length === 0) return
    const startedAt = performance.now()
    let server: ThreadServer<Served>
    try {
      server = await this.#open()
    } catch (error) {
      for (const { reject } of sent) reject(error as Error)
      return
    }
    const calls = sent.map(({ makeCall }) => makeCall())
    const answers = server.execute(calls)
    for (const [index, { resolve, reject }] of sent.entries()) {
      const answer = answers[index] as Answer
      if ('value' in answer) resolve(received(answer.value) as never)
      else reject(callError(answer.error))
    }
    this.#options.onBatch?.(calls, answers, performance.now() - startedAt)
  }

  #open(): Promise<ThreadServer<Served>> {
    this.#server ??= this.#createServer().catch((error: unknown) => {
      this.#server = undefined // the next call tries again
      throw error
    })
    return this.#server
  }

  async #createServer(): Promise<ThreadServer<Served>> {
    const { program, data, prelude, onEvent } = this.#options
    const { createServer } = await import(/* @vite-ignore */ fileURLToPath(new URL('thread-roles.ts', program)))
    const server: ThreadServer<Served> = await createServer(data)
    server.sendEvents?.((event) => onEvent?.(structuredClone(event)))
    server.execute(prelude?.() ?? [])
    return server
  }
}

/** A result as the caller gets it from a thread. */
function received(value: unknown): unknown {
  const buffers: ArrayBuffer[] = []
  addTransfer(buffers, value)
  return structuredClone(value, { transfer: buffers })
}

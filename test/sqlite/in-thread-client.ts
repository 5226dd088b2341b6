import type { ThreadClient } from '../../src/runtime/thread-client.ts'
import type { Answer, Call, ThreadServer } from '../../src/runtime/thread-server.ts'
import { Connection } from '../../src/sqlite/connection.ts'
import { connect } from '../../src/sqlite/open.ts'

interface PendingCall<Served> {
  makeCall(): Call<Served>
  resolve(value: never): void
  reject(error: Error): void
}

interface Settings {
  path: string
  lockTimeout: number
  maxSize: number
}

/** Serves calls in the caller's own thread. Copies arguments and results, as between threads. */
export class InThreadClient<Served> implements Pick<ThreadClient<Served>, 'start' | 'close'> {
  readonly #settings: Settings
  readonly #serve: (connection: Connection) => ThreadServer<Served>
  readonly #prelude: () => readonly Call<Served>[]
  #queued: PendingCall<Served>[] = []
  #server: ThreadServer<Served> | undefined
  #connection: Connection | undefined
  #closed = false

  constructor(
    settings: Settings,
    serve: (connection: Connection) => ThreadServer<Served>,
    prelude: () => readonly Call<Served>[] = () => [],
  ) {
    this.#settings = settings
    this.#serve = serve
    this.#prelude = prelude
  }

  call(method: string, ...args: unknown[]): Promise<unknown> {
    const call = { method, args: structuredClone(args) } as Call<Served>
    return this.#enqueue(() => call)
  }

  callLater(method: string, makeArgs: () => unknown[]): Promise<unknown> {
    return this.#enqueue(() => ({ method, args: structuredClone(makeArgs()) }) as Call<Served>)
  }

  #enqueue(makeCall: () => Call<Served>): Promise<unknown> {
    if (this.#closed) return Promise.reject(new Error('The inbox is closed'))
    return new Promise((resolve, reject) => {
      if (this.#queued.length === 0) setImmediate(() => this.#send())
      this.#queued.push({ makeCall, resolve, reject })
    })
  }

  methods(names: readonly string[]): Record<string, (...args: unknown[]) => Promise<unknown>> {
    return Object.fromEntries(names.map((name) => [name, (...args) => this.call(name, ...args)]))
  }

  start(): void {
    if (!this.#closed) this.#open()
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#send()
    await this.#server?.close()
    this.#connection?.db.close()
  }

  #send(): void {
    const sent = this.#queued
    this.#queued = []
    if (sent.length === 0) return
    const answers = this.#open().execute(sent.map(({ makeCall }) => makeCall()))
    for (const [index, { resolve, reject }] of sent.entries()) {
      const answer = answers[index] as Answer
      if ('value' in answer) resolve(structuredClone(answer.value) as never)
      else reject(Object.assign(new Error(answer.error.message), answer.error))
    }
  }

  #open(): ThreadServer<Served> {
    if (!this.#server) {
      this.#connection = new Connection(connect(this.#settings.path, this.#settings))
      this.#server = this.#serve(this.#connection)
      this.#server.execute(this.#prelude())
    }
    return this.#server
  }
}

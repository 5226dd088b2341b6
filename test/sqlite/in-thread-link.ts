import { Connection } from '../../src/sqlite/connection.ts'
import { Maintenance } from '../../src/sqlite/maintenance.ts'
import { connect } from '../../src/sqlite/open.ts'
import type { Answer, Call, ThreadSettings } from '../../src/sqlite/protocol.ts'
import { Writer } from '../../src/sqlite/writer.ts'

interface Asked extends Call {
  resolve(value: never): void
  reject(error: Error): void
}

/** A link to an engine in the caller's own thread. What it is given and what it gives is copied, as between threads. */
export class InThreadLink {
  readonly #settings: ThreadSettings
  readonly #prelude: () => Call[]
  #waiting: Asked[] = []
  #engine: { execute(calls: readonly Call[]): Answer[]; close(): void } | undefined
  #closed = false

  constructor(settings: ThreadSettings, prelude: () => Call[] = () => []) {
    this.#settings = settings
    this.#prelude = prelude
  }

  call<Result>(method: string, ...args: unknown[]): Promise<Result> {
    if (this.#closed) return Promise.reject(new Error('The inbox is closed'))
    return new Promise<Result>((resolve, reject) => {
      if (this.#waiting.length === 0) setImmediate(() => this.#send())
      this.#waiting.push({ method, args: structuredClone(args), resolve, reject })
    })
  }

  start(): void {
    if (!this.#closed) this.#engine ??= this.#open()
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#send()
    this.#engine?.close()
  }

  #send(): void {
    const asked = this.#waiting
    this.#waiting = []
    if (asked.length === 0) return
    this.#engine ??= this.#open()
    const answers = this.#engine.execute(asked.map(({ method, args }) => ({ method, args })))
    for (const [index, { resolve, reject }] of asked.entries()) {
      const answer = answers[index] as Answer
      if ('value' in answer) resolve(structuredClone(answer.value) as never)
      else reject(Object.assign(new Error(answer.error.message), answer.error))
    }
  }

  #open() {
    const connection = new Connection(connect(this.#settings.path, this.#settings))
    const { role } = this.#settings
    const engine =
      role === 'writer' ? new Writer(connection, this.#settings) : new Maintenance(connection, this.#settings)
    engine.execute(this.#prelude())
    const close = () => {
      engine.close()
      connection.db.close()
    }
    return { execute: (calls: readonly Call[]) => engine.execute(calls), close }
  }
}

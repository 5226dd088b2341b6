/**
 * The SQLite store without threads. The simulation decides when a call of a process is carried out, and when the process
 * gets its answer.
 */
import { DatabaseSync } from 'node:sqlite'
import type { Inbox } from '../../src/inbox/inbox.ts'
import type { ThreadClient } from '../../src/runtime/thread-client.ts'
import type { Answer, ArgsOf, Call, MethodOf, ThreadServer } from '../../src/runtime/thread-server.ts'
import { Connection } from '../../src/sqlite/connection/connection.ts'
import { prepareFile } from '../../src/sqlite/connection/open.ts'
import { createInbox, type RegisteredWorkers } from '../../src/sqlite/inbox.ts'
import { Maintenance } from '../../src/sqlite/maintenance.ts'
import { resolveSqliteOptions } from '../../src/sqlite/options.ts'
import type { MaintenanceCalls, ThreadSettings, WriterCalls } from '../../src/sqlite/threads.ts'
import { Writer } from '../../src/sqlite/writer.ts'
import type { VirtualProcess } from './virtual-time.ts'

/** What happens to a call: it succeeds, it fails without effect, or its answer is lost. */
export type Fate = 'succeeds' | 'fails' | 'is lost'

interface SentCall {
  readonly method: string
  carryOut(): Answer
  answer(answer: Answer): void
}

/** The calls of one client of a process, in the order in which they are carried out and answered. */
export class CallQueue {
  readonly name: string
  readonly waiting: SentCall[] = []
  readonly answered: { method: string; deliver(): void }[] = []

  constructor(name: string) {
    this.name = name
  }

  /** Carries out the first waiting call. @returns its method. */
  carryOut(fate: Fate): string {
    const call = this.waiting.shift() as SentCall
    const answer = fate === 'fails' ? undefined : call.carryOut()
    const given = fate === 'succeeds' && answer ? answer : { error: { message: 'disk I/O error' } }
    this.answered.push({ method: call.method, deliver: () => call.answer(given) })
    return call.method
  }

  /** Gives the process the oldest answer. @returns the method of its call. */
  deliver(): string {
    const answered = this.answered.shift() as { method: string; deliver(): void }
    answered.deliver()
    return answered.method
  }
}

/** Sends calls to a queue instead of a thread. */
class QueueClient<Served> {
  readonly #queue: CallQueue
  readonly #server: ThreadServer<Served>

  constructor(queue: CallQueue, server: ThreadServer<Served>) {
    this.#queue = queue
    this.#server = server
  }

  call<Name extends MethodOf<Served>>(method: Name, ...args: ArgsOf<Served, Name>): Promise<never> {
    return this.callLater(method, () => args)
  }

  callLater<Name extends MethodOf<Served>>(method: Name, makeArgs: () => ArgsOf<Served, Name>): Promise<never> {
    return new Promise((resolve, reject) => {
      this.#queue.waiting.push({
        method,
        carryOut: () => this.#server.execute([{ method, args: makeArgs() } as Call<Served>])[0] as Answer,
        answer: (answer) => {
          if ('value' in answer) resolve(structuredClone(answer.value) as never)
          else reject(new Error(answer.error.message))
        },
      })
    })
  }

  methods<Name extends MethodOf<Served>>(names: readonly Name[]) {
    return Object.fromEntries(
      names.map((name) => [name, (...args: ArgsOf<Served, Name>) => this.call(name, ...args)]),
    ) as never
  }

  start(): void {}

  async close(): Promise<void> {}
}

/** A database in memory that all simulated processes share. */
export class SqliteStore {
  readonly connection: Connection
  readonly #settings: ThreadSettings

  constructor(path: string) {
    prepareFile(path)
    const db = new DatabaseSync(path)
    db.exec('pragma synchronous = off')
    this.connection = new Connection(db)
    this.#settings = { ...resolveSqliteOptions({ heartbeat: 5000 }), path, role: 'writer' }
  }

  /** Deletes the data of the schedule before. The ids go on, because the connection remembers contents by their ids. */
  empty(): void {
    const tables = this.connection.all<{ name: string }>(selectTables).map(({ name }) => `delete from "${name}";`)
    this.connection.db.exec(`begin; ${tables.join('')} commit`)
    this.connection.run('insert into inbox_info (created_at) values (0)')
  }

  /** Opens the inbox of a process. */
  open(process: VirtualProcess): { inbox: Inbox; queues: readonly CallQueue[] } {
    const [writes, reads] = [new CallQueue('writer'), new CallQueue('maintenance')]
    const workers: RegisteredWorkers = new Map()
    const inbox = process.run(() => {
      const writer = new QueueClient<WriterCalls>(writes, new Writer(this.connection, this.#settings))
      const maintenance = new QueueClient<MaintenanceCalls>(reads, new Maintenance(this.connection, this.#settings))
      return createInbox(
        writer as unknown as ThreadClient<WriterCalls>,
        maintenance as unknown as ThreadClient<MaintenanceCalls>,
        workers,
        this.#settings.heartbeat,
      )
    })
    return { inbox: Object.assign(inbox, { pollInterval: 2000 }), queues: [writes, reads] }
  }

  close(): void {
    this.connection.db.close()
  }
}

const selectTables =
  "select name from sqlite_schema where type = 'table' and name not like 'sqlite_%' and name <> 'schema_version'"

/** The SQLite store without threads: each thread is a queue of calls. */
import { DatabaseSync } from 'node:sqlite'
import type { Store } from '../../src/inbox/inbox.ts'
import type { TaskState } from '../../src/inbox/records.ts'
import { GoneListeners } from '../../src/inbox/unhandled-tasks.ts'
import type { ThreadClient } from '../../src/runtime/thread-client.ts'
import type { Answer, ArgsOf, Call, MethodOf, ThreadServer } from '../../src/runtime/thread-server.ts'
import { NodeSqlite } from '../../src/sqlite/connection/node-sqlite.ts'
import { prepareFile } from '../../src/sqlite/connection/open.ts'
import { createInbox } from '../../src/sqlite/inbox.ts'
import { Maintenance } from '../../src/sqlite/maintenance.ts'
import { resolveSqliteOptions } from '../../src/sqlite/options.ts'
import type { MaintenanceCalls, ThreadSettings, WriterCalls } from '../../src/sqlite/threads.ts'
import { Writer } from '../../src/sqlite/writer.ts'
import {
  CallQueue,
  type DeliveryRecord,
  pollInterval,
  type SimulatedStore,
  type Snapshot,
  storeSettings,
  type TaskRecord,
} from './store.ts'
import type { VirtualProcess } from './virtual-time.ts'

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
          if ('value' in answer) resolve(answer.value as never)
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
export class SqliteStore implements SimulatedStore {
  readonly #connection: NodeSqlite
  readonly #settings: ThreadSettings
  #snapshot: Snapshot = { deliveries: [] }
  /** The number of changed rows at the time of the snapshot. */
  #changes: number | undefined

  constructor(path: string) {
    prepareFile(path)
    const db = new DatabaseSync(path)
    db.exec('pragma synchronous = off')
    this.#connection = new NodeSqlite(db)
    this.#settings = { ...resolveSqliteOptions(storeSettings), path, role: 'writer' }
  }

  /** Deletes the data of the schedule before. The ids go on, because the connection remembers contents by their ids. */
  empty(): void {
    const tables = this.#connection.all<{ name: string }>(selectTables).map(({ name }) => `delete from "${name}";`)
    this.#connection.db.exec(`begin; ${tables.join('')} commit`)
    this.#connection.run('insert into inbox_info (created_at) values (0)')
  }

  /** Opens the inbox of a process. */
  open(process: VirtualProcess): { inbox: Store; queues: readonly CallQueue[] } {
    const [writes, reads] = ['writer', 'maintenance'].map((name) => new CallQueue(name, { isOrdered: true })) as [
      CallQueue,
      CallQueue,
    ]
    const inbox = process.run(() => {
      const writer = new QueueClient<WriterCalls>(writes, new Writer(this.#connection, this.#settings))
      const maintenance = new QueueClient<MaintenanceCalls>(reads, new Maintenance(this.#connection, this.#settings))
      return createInbox({
        writer: writer as unknown as ThreadClient<WriterCalls>,
        maintenance: maintenance as unknown as ThreadClient<MaintenanceCalls>,
        workers: new Map(),
        goneListeners: new GoneListeners(),
        heartbeat: this.#settings.heartbeat,
      })
    })
    return { inbox: Object.assign(inbox, { pollInterval }), queues: [writes, reads] }
  }

  snapshot(): Snapshot {
    const { changes } = this.#connection.get<{ changes: number }>(selectChanges) as { changes: number }
    if (changes !== this.#changes) this.#snapshot = { deliveries: this.#readDeliveries() }
    this.#changes = changes
    return this.#snapshot
  }

  pause(handler: string): void {
    this.#connection.run('insert or ignore into pauses (handler) values (?)', handler)
  }

  resume(handler: string): void {
    this.#connection.run('delete from pauses where handler = ?', handler)
  }

  close(): void {
    this.#connection.db.close()
  }

  #readDeliveries(): DeliveryRecord[] {
    const tasks = Map.groupBy(this.#connection.all<TaskRow>(selectTasks), (task) => task.delivery_id)
    return this.#connection.all<DeliveryRow>(selectDeliveries).map(({ matched, ...delivery }) => {
      return { ...delivery, isMatched: matched === 1, tasks: (tasks.get(delivery.id) ?? []).map(toTaskRecord) }
    })
  }
}

type DeliveryRow = Pick<DeliveryRecord, 'id' | 'guid' | 'state'> & { matched: number }

interface TaskRow {
  delivery_id: number
  handler: string
  state: TaskState
  order_key: string | null
  next_at: number | null
  attempts_used: number
  worker: number | null
  claimed_ahead: number
  suspect: number
  cut_offs: number
}

function toTaskRecord({ handler, state, ...row }: TaskRow): TaskRecord {
  return {
    ...{ handler, state, orderKey: row.order_key ?? undefined, nextAt: row.next_at ?? undefined },
    ...{ attemptsUsed: row.attempts_used, cutOffs: row.cut_offs, worker: row.worker ?? undefined },
    ...{ isAhead: row.claimed_ahead === 1, isSuspect: row.suspect === 1 },
  }
}

const selectChanges = 'select total_changes() as changes'
const selectDeliveries = 'select id, guid, state, matched from deliveries order by id'
const selectTasks = `
  select delivery_id, handler, state, order_key, next_at, attempts_used, worker, claimed_ahead,
    (select count(*) from attempts
     where attempts.delivery_id = tasks.delivery_id and attempts.handler = tasks.handler and outcome = 'cut off'
    ) as cut_offs,
    worker is not null and attempt > 2 and (
      select count(*) = 2 and min(outcome = 'cut off') from (
        select outcome from attempts
        where attempts.delivery_id = tasks.delivery_id and attempts.handler = tasks.handler and outcome <> 'released'
        order by number desc limit 2
      )
    ) as suspect
  from tasks`

const selectTables =
  "select name from sqlite_schema where type = 'table' and name not like 'sqlite_%' and name <> 'schema_version'"

/** The writer and the maintenance of the SQLite inbox in the test's own thread, where tests can move their clock. */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type {
  AttemptResult,
  ClaimedTask,
  HandlerPolicy,
  MatchedTask,
  NewDelivery,
  StoreResult,
} from '../../src/inbox/inbox.ts'
import type { DeliveryDetail } from '../../src/inbox/records.ts'
import type { Answer, ArgsOf, Call, MethodOf, ResultOf } from '../../src/runtime/thread-server.ts'
import { NodeSqlite } from '../../src/sqlite/connection/node-sqlite.ts'
import { connect, prepareFile } from '../../src/sqlite/connection/open.ts'
import { type EncodedDelivery, encodeDelivery } from '../../src/sqlite/delivery-store/store.ts'
import { Maintenance } from '../../src/sqlite/maintenance.ts'
import { resolveSqliteOptions, type SqliteOptions } from '../../src/sqlite/options.ts'
import type { MaintenanceCalls, WriterCalls } from '../../src/sqlite/threads.ts'
import { Writer } from '../../src/sqlite/writer.ts'

/** A folder for one test. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'hookserver-sqlite-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** A path for the file of an inbox, for one test. */
export const newFile = (): string => join(folder(), 'hookserver.db')

/** A delivery with a random GUID. */
export function newDelivery(more: Partial<NewDelivery> = {}): NewDelivery {
  const guid = more.guid ?? randomUUID()
  return {
    ...{ source: '/hooks', hookId: '1', guid, event: 'push', headers: { 'x-github-event': 'push' } },
    ...{ body: bytesOf({ guid }), form: 'json', address: undefined, receivedAt: 1000 },
    ...{ secretId: undefined, secretIndex: 0, algorithm: 'sha256' },
    ...more,
  }
}

export const bytesOf = (payload: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(payload))

/** Encodes a delivery that is not large. */
export function encoded(one: NewDelivery): EncodedDelivery {
  const encoded = encodeDelivery(one)
  if (encoded instanceof Promise) throw new Error('The delivery is large')
  return encoded
}

/** A call that stores a delivery. */
export const storing = (more: Partial<NewDelivery> = {}): Call<WriterCalls> => ({
  method: 'store',
  args: [encoded(newDelivery(more))],
})

/** A call that SQLite rejects. */
export const failing = (): Call<WriterCalls> => ({
  method: 'store',
  args: [{ ...encoded(newDelivery()), event: null as never }],
})

/** The policy of a handler. */
export const policy = (name: string): HandlerPolicy => ({ name, backoff: 100, timeout: 1000 })

const callOf = <Served, Name extends MethodOf<Served>>(method: Name, args: ArgsOf<Served, Name>): Call<Served> => ({
  method,
  args,
})

/** The result of a call. @throws the error of a failed call. */
export function given<T>(answer: Answer | undefined): T {
  if (!answer) throw new Error('The call has no answer')
  if ('error' in answer) throw Object.assign(new Error(answer.error.message), answer.error)
  return answer.value as T
}

export class Engine {
  readonly path: string
  readonly writing: NodeSqlite
  readonly keeping: NodeSqlite
  readonly writer: Writer
  readonly maintenance: Maintenance

  constructor(path: string = newFile(), options: SqliteOptions = {}) {
    const settings = { path, ...resolveSqliteOptions(options) }
    prepareFile(path)
    this.path = path
    this.writing = new NodeSqlite(connect(path, settings))
    this.keeping = new NodeSqlite(connect(path, settings))
    this.writer = new Writer(this.writing, settings)
    this.maintenance = new Maintenance(this.keeping, { ...settings, role: 'maintenance' })
    onTestFinished(() => this.close())
  }

  close(): void {
    this.maintenance.close()
    for (const { db } of [this.writing, this.keeping]) if (db.isOpen) db.close()
  }

  write<Name extends MethodOf<WriterCalls>>(
    method: Name,
    ...args: ArgsOf<WriterCalls, Name>
  ): ResultOf<WriterCalls, Name> {
    return given(this.writer.execute([callOf<WriterCalls, Name>(method, args)])[0])
  }

  read<Name extends MethodOf<MaintenanceCalls>>(
    method: Name,
    ...args: ArgsOf<MaintenanceCalls, Name>
  ): ResultOf<MaintenanceCalls, Name> {
    return given(this.maintenance.execute([callOf<MaintenanceCalls, Name>(method, args)])[0])
  }

  store(more: Partial<NewDelivery> = {}): StoreResult {
    return this.write('store', encoded(newDelivery(more)))
  }

  /** Registers a worker. The maintenance sends its heartbeats. */
  registerWorker(...handlers: string[]): number {
    const policies = handlers.map(policy)
    const worker = this.write('registerWorker', policies)
    this.read('addWorker', worker, policies)
    return worker
  }

  /** Matches a delivery with handlers, and claims the tasks. */
  dispatch(worker: number, id: number, ...tasks: (string | MatchedTask)[]): ClaimedTask[] {
    const planned = tasks.map((task) => (typeof task === 'string' ? { handler: task, claim: true } : task))
    const { claimed } = this.write('recordMatches', worker, [{ id, summary: {}, tasks: planned }], 1000)
    return claimed
  }

  /** Stores a delivery and claims its task for one handler. */
  begin(worker: number, handler: string, key?: string): ClaimedTask {
    const [claimed] = this.dispatch(worker, this.store().id, { handler, key, claim: true })
    if (!claimed) throw new Error('No task was claimed')
    return claimed
  }

  claim(worker: number, handler: string, now: number, limit: number = 10): ClaimedTask[] {
    return this.write('claim', worker, { wanted: { [handler]: limit }, bytes: 1e9, now })
  }

  finish(
    worker: number,
    { id, handler, attempt }: ClaimedTask,
    outcome: AttemptResult['outcome'],
    more: Partial<AttemptResult> = {},
  ) {
    const ended = { id, handler, attempt, outcome, startedAt: 1000, duration: 5, ...more }
    return this.write('finish', worker, [ended])
  }

  detail(id: number): DeliveryDetail {
    const detail = this.read('get', id)
    if (!detail) throw new Error(`There is no delivery ${id}`)
    return detail
  }

  /** The states of the delivery's tasks by handler. */
  tasks(id: number): Record<string, string> {
    return Object.fromEntries(this.detail(id).tasks.map(({ handler, state }) => [handler, state]))
  }

  count(table: string): number {
    return this.writing.get<{ n: number }>(`select count(*) as n from ${table}`)?.n ?? 0
  }
}

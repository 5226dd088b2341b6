/**
 * Leases. What runs is leased to a worker, and a worker holds its leases for as long as it beats. Beats are counted
 * and not timed: a worker is given up once others have looked several times and found no new beat, so that a clock
 * that jumps takes no lease from anybody.
 */
import type { HandlerPolicy } from '../inbox/inbox.ts'
import { retryDelay } from '../inbox/retry.ts'
import type { Connection } from './connection.ts'
import { hasEnded, ownIdentity, type ProcessIdentity } from './process-identity.ts'
import { cutOff, finish, passOn, settle } from './tasks.ts'

const own = ownIdentity()

interface WorkerRow {
  id: number
  process: string
  handlers: string
  beat: number
}

interface Vanished {
  delivery_id: number
  order_key: string | null
}

interface Lease {
  delivery_id: number
  handler: string
  attempt: number
  spent: number
  started_at: number
}

export function enlist(connection: Connection, handlers: readonly HandlerPolicy[], now: number): number {
  for (const row of connection.all<WorkerRow>(selectWorkers)) {
    if (hasEnded(JSON.parse(row.process) as ProcessIdentity, own)) takeOver(connection, row, now)
  }
  return connection.insert(insertWorker, JSON.stringify(own), JSON.stringify(handlers))
}

/** Says that a worker has other handlers by now. */
export function announce(connection: Connection, worker: number, handlers: readonly HandlerPolicy[]): void {
  connection.run(updateHandlers, JSON.stringify(handlers), worker)
}

/** Gives back what a worker holds, at once and without counting an attempt. */
export function dismiss(connection: Connection, worker: number, now: number): void {
  for (const { delivery_id: id, handler, attempt, started_at: startedAt } of connection.all<Lease>(
    selectLeases,
    worker,
  )) {
    finish(connection, worker, { id, handler, attempt, outcome: 'released', startedAt, duration: now - startedAt })
    settle(connection, id)
  }
  connection.run(deleteWorker, worker)
}

/** Has the workers of this process beat. One that was given up while it could not beat comes back without its leases. */
export function beat(connection: Connection, workers: ReadonlyMap<number, readonly HandlerPolicy[]>): void {
  for (const [id, handlers] of workers) {
    connection.run(upsertBeat, id, JSON.stringify(own), JSON.stringify(handlers))
  }
}

/** How often a worker may be seen without a new beat. */
const mostSilent = 5

/** Watches the beats of all workers from one process. */
export class Watch {
  readonly #seen = new Map<number, { beat: number; silent: number }>()

  /** Looks once, and takes over from those that are dead. */
  look(connection: Connection, now: number): void {
    const rows = connection.all<WorkerRow>(selectWorkers)
    for (const row of rows) {
      const before = this.#seen.get(row.id)
      const silent = before?.beat === row.beat ? before.silent + 1 : 0
      this.#seen.set(row.id, { beat: row.beat, silent })
      if (silent < mostSilent && !hasEnded(JSON.parse(row.process) as ProcessIdentity, own)) continue
      this.#seen.delete(row.id)
      takeOver(connection, row, now)
    }
    const present = new Set(rows.map(({ id }) => id))
    for (const id of this.#seen.keys()) if (!present.has(id)) this.#seen.delete(id)
  }
}

/** What a dead worker had begun is due again, after the wait that its handler's failures have. */
function takeOver(connection: Connection, { id: worker, handlers }: WorkerRow, now: number): void {
  const policies = new Map((JSON.parse(handlers) as HandlerPolicy[]).map(({ name, backoff }) => [name, backoff]))
  for (const { delivery_id: id, handler, spent } of connection.all<Lease>(selectLeases, worker)) {
    cutOff(connection, id, handler, retryDelay(spent, policies.get(handler)), now)
  }
  connection.run(deleteWorker, worker)
}

/** Tasks that are due, and whose handler no living worker has: nobody would ever run them. */
export function loseVanished(connection: Connection, now: number): void {
  const rows = connection.all<WorkerRow>(selectWorkers)
  if (rows.length === 0) return
  const alive = new Set(rows.flatMap((row) => (JSON.parse(row.handlers) as HandlerPolicy[]).map(({ name }) => name)))
  for (const handler of dueHandlers(connection)) {
    if (alive.has(handler)) continue
    for (const { delivery_id: id, order_key } of connection.all<Vanished>(selectVanished, handler, now)) {
      connection.run(loseTask, id, handler)
      passOn(connection, handler, order_key)
      settle(connection, id)
    }
  }
}

/** The handlers of tasks that may begin, each once, by a seek for each: there may be very many tasks, but not handlers. */
export function* dueHandlers(connection: Connection): Generator<string> {
  for (let last = ''; ; ) {
    const next = connection.get<{ handler: string }>(selectNextHandler, last)?.handler
    if (next === undefined) return
    yield (last = next)
  }
}

const selectWorkers = 'select id, process, handlers, beat from workers'

const insertWorker = 'insert into workers (process, handlers, beat) values (?, ?, 0)'

const updateHandlers = 'update workers set handlers = ? where id = ?'

const deleteWorker = 'delete from workers where id = ?'

const upsertBeat = `
  insert into workers (id, process, handlers, beat) values (?, ?, ?, 0)
  on conflict (id) do update set beat = beat + 1`

const selectLeases = 'select delivery_id, handler, attempt, spent, started_at from tasks where worker = ?'

const selectNextHandler = `
  select handler from tasks
  where next_at is not null and handler > ?
  order by handler
  limit 1`

const selectVanished = `
  select delivery_id, order_key from tasks
  where next_at is not null and handler = ? and next_at <= ?
  limit 1000`

const loseTask = `
  update tasks set state = 'gone', next_at = null, waits = null where delivery_id = ? and handler = ?`

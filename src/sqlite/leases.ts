/** Leases. What runs is leased to a worker, and a worker holds its leases for as long as it beats. */

import { HeartbeatMonitor, type WorkerHeartbeat } from '../inbox/heartbeat-monitor.ts'
import type { HandlerPolicy } from '../inbox/inbox.ts'
import { expiredLeaseDelay } from '../inbox/retry.ts'
import type { Connection } from './connection.ts'
import { hasEnded, ownIdentity, type ProcessIdentity } from './process-identity.ts'
import { expireLease, finish, markGone, updateDeliveryState } from './tasks.ts'

const own = ownIdentity()

interface WorkerRow extends WorkerHeartbeat {
  process: string
  handlers: string
}

interface UnhandledTask {
  delivery_id: number
  order_key: string | null
}

interface Lease {
  delivery_id: number
  handler: string
  attempt: number
  attempts_used: number
  started_at: number
}

/** @param interval Milliseconds between two beats of this process. */
export function registerWorker(
  connection: Connection,
  handlers: readonly HandlerPolicy[],
  interval: number,
  now: number,
): number {
  for (const row of connection.all<WorkerRow>(selectWorkers)) {
    if (hasEnded(JSON.parse(row.process) as ProcessIdentity, own)) reclaimLeases(connection, row, now)
  }
  return connection.insert(insertWorker, JSON.stringify(own), JSON.stringify(handlers), interval)
}

/** Says that a worker has other handlers by now. */
export function updateWorker(connection: Connection, worker: number, handlers: readonly HandlerPolicy[]): void {
  connection.run(updateHandlers, JSON.stringify(handlers), worker)
}

/** @throws {Error} if the worker was given up: whatever it began would belong to nobody. */
export function checkRegistered(connection: Connection, worker: number): void {
  if (connection.get('select 1 from workers where id = ?', worker)) return
  throw new Error(`Worker ${worker} has been silent for so long that it was taken to be dead`)
}

/** Gives back what a worker holds, at once and without counting an attempt. */
export function releaseWorker(connection: Connection, worker: number, now: number): void {
  for (const { delivery_id: id, handler, attempt, started_at: startedAt } of connection.all<Lease>(
    selectLeases,
    worker,
  )) {
    finish(connection, worker, { id, handler, attempt, outcome: 'released', startedAt, duration: now - startedAt })
    updateDeliveryState(connection, id)
  }
  connection.run(deleteWorker, worker)
}

/** Has the workers of this process beat. One that was given up while it could not beat comes back without its leases. */
export function renewLeases(connection: Connection, workers: WorkersOfProcess, interval: number): void {
  for (const [id, handlers] of workers) {
    connection.run(upsertHeartbeat, id, JSON.stringify(own), JSON.stringify(handlers), interval)
  }
}

/** The workers of a process, with their handlers. */
export type WorkersOfProcess = ReadonlyMap<number, readonly HandlerPolicy[]>

/** Watches the beats of all workers from one process. */
export class LeaseMonitor {
  readonly #silence = new HeartbeatMonitor()

  /**
   * Looks once, and takes over from those that are dead.
   * @param held Those of this process, which lives.
   * @param interval Milliseconds between two looks.
   */
  check(connection: Connection, held: WorkersOfProcess, interval: number, now: number): void {
    const others = connection.all<WorkerRow>(selectWorkers).filter(({ id }) => !held.has(id))
    const silent = new Set(this.#silence.check(others, interval))
    for (const row of others) {
      if (silent.has(row) || hasEnded(JSON.parse(row.process) as ProcessIdentity, own))
        reclaimLeases(connection, row, now)
    }
    for (const lease of connection.all<Lease>(selectOrphans)) expireTaskLease(connection, lease, undefined, now)
  }
}

/** Makes the tasks of a dead worker due again, after the wait that each handler's policy sets. */
function reclaimLeases(connection: Connection, { id: worker, handlers }: WorkerRow, now: number): void {
  const policies = new Map((JSON.parse(handlers) as HandlerPolicy[]).map((policy) => [policy.name, policy]))
  for (const lease of connection.all<Lease>(selectLeases, worker)) {
    expireTaskLease(connection, lease, policies.get(lease.handler), now)
  }
  connection.run(deleteWorker, worker)
}

function expireTaskLease(connection: Connection, lease: Lease, policy: HandlerPolicy | undefined, now: number): void {
  expireLease(connection, lease.delivery_id, lease.handler, expiredLeaseDelay(lease.attempts_used, policy), now)
}

/**
 * Ends tasks that are due and whose handler no worker has had for long: nobody would ever run them. Not at once, since
 * a program that is down, or is being replaced, comes back with its handlers.
 */
export function endUnhandledTasks(connection: Connection, vanishAfter: number, now: number): void {
  const rows = connection.all<WorkerRow>(selectWorkers)
  if (rows.length === 0) return
  const alive = new Set(rows.flatMap((row) => (JSON.parse(row.handlers) as HandlerPolicy[]).map(({ name }) => name)))
  for (const handler of alive) connection.run(recordHandlerSeen, handler, now, now - seenPrecision)
  for (const handler of dueHandlers(connection)) {
    if (alive.has(handler)) continue
    connection.run(recordHandlerFirstSeen, handler, now)
    const seen = connection.get<{ seen_at: number }>('select seen_at from handlers where name = ?', handler)
    if (!seen || seen.seen_at > now - vanishAfter) continue
    for (const { delivery_id: id, order_key } of connection.all<UnhandledTask>(selectUnhandled, handler, now)) {
      markGone(connection, id, handler, order_key)
      updateDeliveryState(connection, id)
    }
  }
}

/** Milliseconds: how exact it is known when a handler was there last. */
const seenPrecision = 60_000

/** The handlers of tasks that may begin, each once, by a seek for each: there may be very many tasks, but not handlers. */
export function* dueHandlers(connection: Connection): Generator<string> {
  for (let last = ''; ; ) {
    const next = connection.get<{ handler: string }>(selectNextHandler, last)?.handler
    if (next === undefined) return
    yield (last = next)
  }
}

const selectWorkers = 'select id, process, handlers, heartbeats, interval from workers'

const insertWorker = 'insert into workers (process, handlers, heartbeats, interval) values (?, ?, 0, ?)'

const updateHandlers = 'update workers set handlers = ? where id = ?'

const deleteWorker = 'delete from workers where id = ?'

const upsertHeartbeat = `
  insert into workers (id, process, handlers, heartbeats, interval) values (?, ?, ?, 0, ?)
  on conflict (id) do update set heartbeats = heartbeats + 1`

const selectLeases = 'select delivery_id, handler, attempt, attempts_used, started_at from tasks where worker = ?'

const selectOrphans = `
  select delivery_id, handler, attempt, attempts_used, started_at from tasks
  where worker is not null and worker not in (select id from workers)`

const recordHandlerSeen = `
  insert into handlers (name, seen_at) values (?, ?)
  on conflict (name) do update set seen_at = excluded.seen_at where seen_at < ?`

const recordHandlerFirstSeen = 'insert or ignore into handlers (name, seen_at) values (?, ?)'

const selectNextHandler = `
  select handler from tasks
  where next_at is not null and handler > ?
  order by handler
  limit 1`

const selectUnhandled = `
  select delivery_id, order_key from tasks
  where next_at is not null and handler = ? and next_at <= ?
  limit 1000`

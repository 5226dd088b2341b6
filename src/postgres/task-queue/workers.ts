/**
 * The workers of all processes. Their heartbeats are counted instead of timed, so that a wrong clock expires no lease.
 */
import type { HandlerPolicy } from '../../inbox/inbox.ts'
import type { WorkerHeartbeat, WorkersOfProcess } from '../../inbox/worker-heartbeats.ts'
import type { Sql } from '../connection/connection.ts'
import type { Transaction } from '../connection/database.ts'
import { databaseTime } from '../connection/database-clock.ts'

/** A worker of any process. */
export interface RegisteredWorker extends WorkerHeartbeat {
  handlers: readonly HandlerPolicy[]
}

export function workers(sql: Sql): Promise<RegisteredWorker[]> {
  return sql.all('select id, handlers, heartbeats, interval from workers')
}

/**
 * @param interval Milliseconds between two heartbeats of this process.
 * @returns also the time of the database.
 */
export async function registerWorker(
  sql: Sql,
  handlers: readonly HandlerPolicy[],
  interval: number,
): Promise<{ id: number; now: number }> {
  return (await sql.get<{ id: number; now: number }>(insertWorker, JSON.stringify(handlers), interval)) as {
    id: number
    now: number
  }
}

/** Replaces the handlers of a worker. */
export async function updateWorker(sql: Sql, worker: number, handlers: readonly HandlerPolicy[]): Promise<void> {
  await sql.run('update workers set handlers = $1::jsonb where id = $2', JSON.stringify(handlers), worker)
}

/**
 * @param heartbeats Deletes the worker only if its latest heartbeat has this number.
 * @returns the names of its handlers, or nothing if no worker was deleted.
 */
export async function deleteWorker(sql: Sql, worker: number, heartbeats?: number): Promise<string[] | undefined> {
  const deleted = await sql.get<{ handlers: HandlerPolicy[] }>(deleteWorkerRow, worker, heartbeats ?? null)
  return deleted?.handlers.map(({ name }) => name)
}

/**
 * Locks the worker's row, so that no other process reclaims its leases until this transaction has ended.
 * @throws {Error} if the worker has no row, because its leases have expired. Such a worker must not acquire new leases:
 *   maintenance reclaims every lease of a worker without a row, even if the worker is alive.
 */
export async function checkRegistered(transaction: Transaction, worker: number): Promise<void> {
  if (!(await isRegistered(transaction, worker))) throw expiredLeases(worker)
}

/** Whether a worker has a row. Locks the row, as `checkRegistered` does. */
export async function isRegistered(transaction: Transaction, worker: number): Promise<boolean> {
  return Boolean(await transaction.get('select 1 from workers where id = $1 for key share', worker))
}

export const expiredLeases = (worker: number): Error =>
  new Error(`The leases of worker ${worker} have expired, because it sent no heartbeats for too long`)

/**
 * Sends a heartbeat of each worker. A worker whose leases have expired meanwhile is registered again, without leases. The
 * heartbeats are numbered by their process, so the numbers do not begin again then: another process would take an earlier
 * number for a missed heartbeat, and expire the new leases.
 * @param heartbeat The number of this heartbeat.
 * @param alive If a worker is removed from this map during the call, the call deletes its registration again.
 */
export async function renewLeases(
  sql: Sql,
  alive: WorkersOfProcess,
  interval: number,
  heartbeat: number,
): Promise<void> {
  for (const [id, handlers] of alive) {
    await sql.run(upsertHeartbeat, id, JSON.stringify(handlers), interval, heartbeat)
    if (!alive.has(id)) await sql.run('delete from workers where id = $1', id)
  }
}

/**
 * A random id of 48 bits. A sequence would begin again if the tables are lost and created again, or go back after a
 * failover. A new worker could then have the id of another one that still runs, and each would end the leases of the
 * other.
 */
const insertWorker = `
  insert into workers (id, handlers, interval) overriding system value
  values (('x' || left(replace(gen_random_uuid()::text, '-', ''), 12))::bit(48)::bigint, $1::jsonb, $2)
  returning id, ${databaseTime} as now`

const deleteWorkerRow = `
  delete from workers where id = $1 and heartbeats = coalesce($2::bigint, heartbeats) returning handlers`

const upsertHeartbeat = `
  insert into workers (id, handlers, interval, heartbeats) overriding system value values ($1, $2::jsonb, $3, $4)
  on conflict (id) do update set heartbeats = excluded.heartbeats`

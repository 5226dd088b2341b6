/**
 * The workers of all processes. Their heartbeats are counted instead of timed, so that a wrong clock expires no lease.
 */
import type { HandlerPolicy } from '../../inbox/inbox.ts'
import type { WorkerHeartbeat, WorkersOfProcess } from '../../inbox/worker-heartbeats.ts'
import { hasEnded, ownIdentity, type ProcessIdentity } from '../../runtime/process-identity.ts'
import type { Connection } from '../connection/connection.ts'

const own = ownIdentity()

/** The column `process` of the workers of this process. */
export const ownProcess: string = JSON.stringify(own)

/** A worker of any process. */
export interface RegisteredWorker extends WorkerHeartbeat {
  handlers: readonly HandlerPolicy[]
  process: ProcessIdentity
}

interface WorkerRow extends WorkerHeartbeat {
  process: string
  handlers: string
}

export function workers(connection: Connection): RegisteredWorker[] {
  return connection.all<WorkerRow>(selectWorkers).map(({ process, handlers, ...row }) => ({
    ...row,
    handlers: JSON.parse(handlers) as HandlerPolicy[],
    process: JSON.parse(process) as ProcessIdentity,
  }))
}

/**
 * Whether the process of a worker has certainly ended. Such a worker is dead, even after a recent heartbeat. Otherwise,
 * the heartbeats decide.
 */
export function processHasEnded({ process }: RegisteredWorker): boolean {
  return hasEnded(process, own)
}

/** @param interval Milliseconds between two heartbeats of this process. */
export function insertWorker(connection: Connection, handlers: readonly HandlerPolicy[], interval: number): number {
  return connection.insert(insertWorkerRow, ownProcess, JSON.stringify(handlers), interval)
}

export function updateWorker(connection: Connection, worker: number, handlers: readonly HandlerPolicy[]): void {
  connection.run(updateHandlers, JSON.stringify(handlers), worker)
}

/** @returns the names of its handlers. */
export function deleteWorker(connection: Connection, worker: number): string[] {
  const row = connection.get<Pick<WorkerRow, 'handlers'>>(deleteWorkerRow, worker)
  return row ? (JSON.parse(row.handlers) as HandlerPolicy[]).map(({ name }) => name) : []
}

/**
 * @throws {Error} if the worker has no row, because its leases have expired. Such a worker must not acquire new leases:
 *   maintenance reclaims every lease of a worker without a row, even if the worker is alive.
 */
export function checkRegistered(connection: Connection, worker: number): void {
  if (connection.get('select 1 from workers where id = ?', worker)) return
  throw new Error(`The leases of worker ${worker} have expired, because it sent no heartbeats for too long`)
}

/**
 * Sends a heartbeat of each worker. A worker whose leases have expired meanwhile is registered again, without leases. The
 * heartbeats are numbered by their process, so the numbers do not begin again then: another process would take an earlier
 * number for a missed heartbeat, and expire the new leases.
 * @param heartbeat The number of this heartbeat.
 */
export function renewLeases(
  connection: Connection,
  alive: WorkersOfProcess,
  interval: number,
  heartbeat: number,
): void {
  for (const [id, handlers] of alive) {
    connection.run(upsertHeartbeat, id, ownProcess, JSON.stringify(handlers), heartbeat, interval)
  }
}

const selectWorkers = 'select id, process, handlers, heartbeats, interval from workers'
const insertWorkerRow = 'insert into workers (process, handlers, heartbeats, interval) values (?, ?, 0, ?)'
const updateHandlers = 'update workers set handlers = ? where id = ?'
const deleteWorkerRow = 'delete from workers where id = ? returning handlers'
const upsertHeartbeat = `
  insert into workers (id, process, handlers, heartbeats, interval) values (?, ?, ?, ?, ?)
  on conflict (id) do update set heartbeats = excluded.heartbeats`

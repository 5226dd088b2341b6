/**
 * The workers of all processes. Their heartbeats are counted instead of timed, so that a wrong clock expires no lease.
 */
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import type { HandlerPolicy } from '../../inbox/inbox.ts'
import type { WorkerHeartbeat } from '../../inbox/processes.ts'
import type { Connection } from '../connection/connection.ts'

/** Identifies a process. The process id is not enough, because an earlier process may have had the same process id. */
export interface ProcessIdentity {
  host: string
  pid: number
  /**
   * The id of the machine's current boot, and the id of the process's PID namespace. Each container has a PID namespace
   * of its own. Process ids are comparable only within one realm. Linux only.
   */
  realm?: string | undefined
  /** Start time, in ticks since the boot. Linux only. */
  started?: string | undefined
}

const own = ownIdentity()

/** The column `process` of the workers of this process. */
export const ownProcess: string = JSON.stringify(own)

/** A worker of any process. */
export interface RegisteredWorker extends WorkerHeartbeat {
  handlers: readonly HandlerPolicy[]
  process: ProcessIdentity
}

/** The workers of this process, with their handlers. */
export type WorkersOfProcess = ReadonlyMap<number, readonly HandlerPolicy[]>

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

/** Whether the process of a worker has certainly ended. Such a worker is dead, even after a recent heartbeat. */
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

export function ownIdentity(): ProcessIdentity {
  const host = hostname()
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    const realm = `${boot} ${readlinkSync('/proc/self/ns/pid')}`
    return { host, pid: process.pid, realm, started: statOf(process.pid)?.started }
  } catch {
    return { host, pid: process.pid }
  }
}

/** Whether a process has certainly ended. If the result is `false`, the heartbeats of its workers decide. */
export function hasEnded(other: ProcessIdentity, own: ProcessIdentity): boolean {
  if (other.realm === undefined || other.realm !== own.realm) return false
  const stat = statOf(other.pid)
  return stat === undefined || stat.started !== other.started || stat.state === 'Z' || stat.state === 'X'
}

/**
 * Reads the state and the start time of a process from `/proc/<pid>/stat`. Counts the fields from the last parenthesis,
 * because the name before it may contain any character (proc_pid_stat(5)).
 * @returns `undefined` if there is no such process.
 */
function statOf(pid: number): { state: string; started: string } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return { state: fields[0] as string, started: fields[19] as string }
  } catch (error) {
    const { code } = error as { code?: string }
    if (code === 'ENOENT' || code === 'ESRCH') return undefined
    throw error
  }
}

const selectWorkers = 'select id, process, handlers, heartbeats, interval from workers'
const insertWorkerRow = 'insert into workers (process, handlers, heartbeats, interval) values (?, ?, 0, ?)'
const updateHandlers = 'update workers set handlers = ? where id = ?'
const deleteWorkerRow = 'delete from workers where id = ? returning handlers'
const upsertHeartbeat = `
  insert into workers (id, process, handlers, heartbeats, interval) values (?, ?, ?, ?, ?)
  on conflict (id) do update set heartbeats = excluded.heartbeats`

/** The processes that use the inbox. Their registrations expire by the clock, because they are only for display. */
import { hostname } from 'node:os'
import {
  type ProcessInfo,
  type ProcessRow,
  processTimeout,
  type RegisteredProcess,
  silenceTimeout,
  toRegisteredProcess,
} from '../../inbox/processes.ts'
import type { Connection } from '../connection/connection.ts'

/** Registers this process or renews its registration, and deletes expired registrations. */
export function heartbeat(connection: Connection, info: ProcessInfo, now: number): void {
  const { id, role, version, startedAt, problems } = info
  const json = problems ? JSON.stringify(problems) : null
  connection.run(upsertProcess, id, role, hostname(), process.pid, version, startedAt, now, json)
  connection.run(deleteExpired, now - processTimeout, now + processTimeout)
}

export function unregister(connection: Connection, id: string): void {
  connection.run('delete from processes where id = ?', id)
}

export function processes(connection: Connection, now: number): RegisteredProcess[] {
  return connection
    .all<ProcessRow>(selectProcesses, now - silenceTimeout, now - processTimeout, now + processTimeout)
    .map(toRegisteredProcess)
}

const upsertProcess = `
  insert into processes (id, role, host, pid, version, started_at, seen_at, problems)
  values (?, ?, ?, ?, ?, ?, ?, ?)
  on conflict (id) do update
  set role = excluded.role, seen_at = excluded.seen_at, problems = excluded.problems`

/**
 * Also deletes registrations with a time in the future. They were renewed before the clock was set back, so their
 * processes may have ended long ago.
 */
const deleteExpired = 'delete from processes where seen_at not between ? and ?'

const selectProcesses = `
  select id, role, host, pid, version, started_at as startedAt, seen_at as seenAt, problems, seen_at < ? as silent
  from processes
  where seen_at between ? and ?
  order by started_at, id`

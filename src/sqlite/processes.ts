import { hostname } from 'node:os'
import {
  type ProcessInfo,
  type ProcessRow,
  processTimeout,
  type RegisteredProcess,
  toRegisteredProcess,
} from '../inbox/processes.ts'
import type { Connection } from './connection.ts'

/** Says that this process is there, and forgets those that were and said no more, in the transaction of the caller. */
export function heartbeat(connection: Connection, presence: ProcessInfo, now: number): void {
  const { id, role, version, startedAt, problems } = presence
  const told = problems ? JSON.stringify(problems) : null
  connection.run(upsertProcess, id, role, hostname(), process.pid, version, startedAt, now, told)
  connection.run(deleteSilent, now - processTimeout, now + processTimeout)
}

export function unregister(connection: Connection, id: string): void {
  connection.run('delete from processes where id = ?', id)
}

export function processes(connection: Connection, now: number): RegisteredProcess[] {
  return connection
    .all<ProcessRow>(selectProcesses, now - processTimeout, now + processTimeout)
    .map(toRegisteredProcess)
}

const upsertProcess = `
  insert into processes (id, role, host, pid, version, started_at, seen_at, problems)
  values (?, ?, ?, ?, ?, ?, ?, ?)
  on conflict (id) do update
  set role = excluded.role, seen_at = excluded.seen_at, problems = excluded.problems`

/** One that seems to come from the future spoke before the clock was set back: it may be long gone. */
const deleteSilent = 'delete from processes where seen_at not between ? and ?'

const selectProcesses = `
  select id, role, host, pid, version, started_at as startedAt, seen_at as seenAt, problems
  from processes
  where seen_at between ? and ?
  order by started_at, id`

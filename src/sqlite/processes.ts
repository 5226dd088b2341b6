import { hostname } from 'node:os'
import { longestSilence, type Presence, type ProcessRow, type SeenPresence, seenPresence } from '../inbox/processes.ts'
import type { Connection } from './connection.ts'

/** Says that this process is there, and forgets those that were and said no more, in the transaction of the caller. */
export function present(connection: Connection, presence: Presence, now: number): void {
  const { id, role, version, startedAt, problems } = presence
  const told = problems ? JSON.stringify(problems) : null
  connection.run(upsertProcess, id, role, hostname(), process.pid, version, startedAt, now, told)
  connection.run(deleteSilent, now - longestSilence, now + longestSilence)
}

export function absent(connection: Connection, id: string): void {
  connection.run('delete from processes where id = ?', id)
}

export function presences(connection: Connection, now: number): SeenPresence[] {
  return connection.all<ProcessRow>(selectProcesses, now - longestSilence, now + longestSilence).map(seenPresence)
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

/**
 * The processes that use the inbox. Their registrations expire by the clock of the database, because they are only for
 * display.
 */
import { hostname } from 'node:os'
import {
  type ProcessInfo,
  type ProcessRow,
  processTimeout,
  type RegisteredProcess,
  silenceTimeout,
  toRegisteredProcess,
} from '../../inbox/processes.ts'
import type { Sql } from '../connection/connection.ts'

/** Registers this process or renews its registration, and deletes expired registrations. */
export async function heartbeat(sql: Sql, { id, role, version, startedAt, problems }: ProcessInfo): Promise<void> {
  const json = problems ? JSON.stringify(problems) : null
  await sql.run(upsertProcess, id, role, hostname(), process.pid, version, startedAt, json)
  await sql.run(deleteExpired, processTimeout)
}

export async function unregister(sql: Sql, id: string): Promise<void> {
  await sql.run('delete from processes where id = $1', id)
}

export async function processes(sql: Sql): Promise<RegisteredProcess[]> {
  return (await sql.all<ProcessRow>(selectProcesses, processTimeout, silenceTimeout)).map(toRegisteredProcess)
}

const upsertProcess = `
  insert into processes (id, role, host, pid, version, started_at, problems) values ($1, $2, $3, $4, $5, $6, $7)
  on conflict (id) do update set role = excluded.role, seen_at = now(), problems = excluded.problems`

const deleteExpired = `delete from processes where seen_at < now() - $1 * interval '1 ms'`

const selectProcesses = `
  select id, role, host, pid, version, started_at as "startedAt",
         floor(extract(epoch from seen_at) * 1000)::bigint as "seenAt", problems,
         seen_at < now() - $2 * interval '1 ms' as silent
  from processes
  where seen_at >= now() - $1 * interval '1 ms'
  order by started_at, id`

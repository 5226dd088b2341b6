import { hostname } from 'node:os'
import { longestSilence, type Presence, type ProcessRow, type SeenPresence, seenPresence } from '../inbox/processes.ts'
import type { Sql } from './connection.ts'

/** Says that this process is there, and forgets those that were and said no more: all by the database's clock. */
export async function present(sql: Sql, { id, role, version, startedAt, problems }: Presence): Promise<void> {
  const told = problems ? JSON.stringify(problems) : null
  await sql.run(upsertProcess, id, role, hostname(), process.pid, version, startedAt, told)
  await sql.run(deleteSilent, longestSilence)
}

export async function absent(sql: Sql, id: string): Promise<void> {
  await sql.run('delete from processes where id = $1', id)
}

export async function presences(sql: Sql): Promise<SeenPresence[]> {
  return (await sql.all<ProcessRow>(selectProcesses, longestSilence)).map(seenPresence)
}

const upsertProcess = `
  insert into processes (id, role, host, pid, version, started_at, problems) values ($1, $2, $3, $4, $5, $6, $7)
  on conflict (id) do update set role = excluded.role, seen_at = now(), problems = excluded.problems`

const deleteSilent = `delete from processes where seen_at < now() - $1 * interval '1 ms'`

const selectProcesses = `
  select id, role, host, pid, version, started_at as "startedAt",
         floor(extract(epoch from seen_at) * 1000)::bigint as "seenAt", problems
  from processes
  where seen_at >= now() - $1 * interval '1 ms'
  order by started_at, id`

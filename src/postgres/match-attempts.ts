import type { Sql } from './connection.ts'

/** Counts an attempt to read a payload. @returns how many there were, including this one. */
export async function countMatchAttempt(sql: Sql, id: number): Promise<number> {
  return (await sql.get<{ count: number }>(upsertAttempt, id))?.count ?? 1
}

export async function forgetMatchAttempts(sql: Sql, ids: readonly number[]): Promise<void> {
  await sql.run(deleteAttempts, ids)
}

const upsertAttempt = `
  insert into match_attempts (delivery_id, count) values ($1, 1)
  on conflict (delivery_id) do update set count = match_attempts.count + 1
  returning count`

const deleteAttempts = 'delete from match_attempts where delivery_id = any($1::bigint[])'

import { mostRefusals, type Refusal, type Refusals } from '../inbox/records.ts'
import { type RefusalRow, refusalOf } from '../inbox/rows.ts'
import { recordset, type Session, type Sql } from './connection.ts'

/** Keeps refused requests, in the transaction of the caller. */
export async function refuse(
  session: Session,
  refusals: readonly Refusal[],
  counts: Readonly<Record<string, number>>,
): Promise<void> {
  const rows = refusals.map(({ headers, ...rest }) => ({ ...rest, headers: JSON.stringify(headers) }))
  const counted = Object.entries(counts).map(([code, count]) => ({ code, count }))
  await session.run(insertRefusals, recordset(rows))
  await session.run(deleteOldest, mostRefusals)
  await session.run(addToCounts, recordset(counted))
}

export async function refusals(sql: Sql): Promise<Refusals> {
  const latest = await sql.all<RefusalRow>(selectLatest, mostRefusals)
  const counts = await sql.all<{ code: string; count: number }>('select code, count from refusal_counts')
  return {
    latest: latest.map(refusalOf),
    counts: Object.fromEntries(counts.map(({ code, count }) => [code, count])),
  }
}

const insertRefusals = `
  insert into refusals (at, code, status, reason, source, address, event, guid, headers)
  select at, code, status, reason, source, address, event, guid, headers
  from json_to_recordset($1::json) as told (
    at bigint, code text, status int, reason text, source text, address text, event text, guid text, headers text)`

const deleteOldest = 'delete from refusals where id <= (select id from refusals order by id desc offset $1 limit 1)'

/** In one order, so that no two transactions wait for each other. */
const addToCounts = `
  insert into refusal_counts (code, count)
  select code, count from json_to_recordset($1::json) as told (code text, count bigint) order by code
  on conflict (code) do update set count = refusal_counts.count + excluded.count`

const selectLatest = `
  select at, code, status, reason, source, address, event, guid, headers
  from refusals
  order by id desc
  limit $1`

import { maxRejections, type Rejection, type Rejections } from '../inbox/records.ts'
import { type RejectionRow, toRejection } from '../inbox/rows.ts'
import { recordset, type Session, type Sql } from './connection.ts'

/** Keeps refused requests, in the transaction of the caller. */
export async function recordRejections(
  session: Session,
  refusals: readonly Rejection[],
  counts: Readonly<Record<string, number>>,
): Promise<void> {
  const rows = refusals.map(({ headers, ...rest }) => ({ ...rest, headers: JSON.stringify(headers) }))
  const counted = Object.entries(counts).map(([code, count]) => ({ code, count }))
  await session.run(insertRejections, recordset(rows))
  await session.run(deleteOldest, maxRejections)
  await session.run(addToCounts, recordset(counted))
}

export async function rejections(sql: Sql): Promise<Rejections> {
  const latest = await sql.all<RejectionRow>(selectLatest, maxRejections)
  const counts = await sql.all<{ code: string; count: number }>('select code, count from rejection_counts')
  return {
    latest: latest.map(toRejection),
    counts: Object.fromEntries(counts.map(({ code, count }) => [code, count])),
  }
}

const insertRejections = `
  insert into rejections (at, code, status, reason, source, address, event, guid, headers)
  select at, code, status, reason, source, address, event, guid, headers
  from json_to_recordset($1::json) as told (
    at bigint, code text, status int, reason text, source text, address text, event text, guid text, headers text)`

const deleteOldest = 'delete from rejections where id <= (select id from rejections order by id desc offset $1 limit 1)'

/** In one order, so that no two transactions wait for each other. */
const addToCounts = `
  insert into rejection_counts (code, count)
  select code, count from json_to_recordset($1::json) as told (code text, count bigint) order by code
  on conflict (code) do update set count = rejection_counts.count + excluded.count`

const selectLatest = `
  select at, code, status, reason, source, address, event, guid, headers
  from rejections
  order by id desc
  limit $1`

import { maxRejections, type Rejection, type Rejections } from '../inbox/records.ts'
import { type RejectionRow, toRejection } from '../inbox/rows.ts'
import type { Connection } from './connection.ts'

/** Keeps refused requests, in the transaction of the caller. */
export function recordRejections(
  connection: Connection,
  refusals: readonly Rejection[],
  counts: Readonly<Record<string, number>>,
): void {
  for (const { at, code, status, reason, source, address, event, guid, headers } of refusals) {
    const unknown = [reason ?? null, source, address ?? null, event ?? null, guid ?? null]
    connection.run(insertRejection, at, code, status, ...unknown, JSON.stringify(headers))
  }
  connection.run(deleteOldest, maxRejections)
  for (const [code, count] of Object.entries(counts)) connection.run(addCount, code, count)
}

export function rejections(connection: Connection): Rejections {
  const latest = connection.all<RejectionRow>(selectLatest, maxRejections).map(toRejection)
  const counts = connection.all<{ code: string; count: number }>('select code, count from rejection_counts')
  return { latest, counts: Object.fromEntries(counts.map(({ code, count }) => [code, count])) }
}

const insertRejection = `
  insert into rejections (at, code, status, reason, source, address, event, guid, headers)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?)`

const deleteOldest = 'delete from rejections where id <= (select max(id) from rejections) - ?'

const addCount = `
  insert into rejection_counts (code, count) values (?, ?)
  on conflict (code) do update set count = count + excluded.count`

const selectLatest = `
  select at, code, status, reason, source, address, event, guid, headers
  from rejections
  order by id desc
  limit ?`

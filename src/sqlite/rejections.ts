import { mostRefusals, type Refusal, type Refusals } from '../inbox/records.ts'
import { type RefusalRow, refusalOf } from '../inbox/rows.ts'
import type { Connection } from './connection.ts'

/** Keeps refused requests, in the transaction of the caller. */
export function refuse(
  connection: Connection,
  refusals: readonly Refusal[],
  counts: Readonly<Record<string, number>>,
): void {
  for (const { at, code, status, reason, source, address, event, guid, headers } of refusals) {
    const unknown = [reason ?? null, source, address ?? null, event ?? null, guid ?? null]
    connection.run(insertRefusal, at, code, status, ...unknown, JSON.stringify(headers))
  }
  connection.run(deleteOldest, mostRefusals)
  for (const [code, count] of Object.entries(counts)) connection.run(addCount, code, count)
}

export function refusals(connection: Connection): Refusals {
  const latest = connection.all<RefusalRow>(selectLatest, mostRefusals).map(refusalOf)
  const counts = connection.all<{ code: string; count: number }>('select code, count from refusal_counts')
  return { latest, counts: Object.fromEntries(counts.map(({ code, count }) => [code, count])) }
}

const insertRefusal = `
  insert into refusals (at, code, status, reason, source, address, event, guid, headers)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?)`

const deleteOldest = 'delete from refusals where id <= (select max(id) from refusals) - ?'

const addCount = `
  insert into refusal_counts (code, count) values (?, ?)
  on conflict (code) do update set count = count + excluded.count`

const selectLatest = `
  select at, code, status, reason, source, address, event, guid, headers
  from refusals
  order by id desc
  limit ?`

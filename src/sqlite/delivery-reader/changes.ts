/**
 * The change feed of the dashboard and the API. New deliveries are found by their ids, so storing a delivery needs no
 * entry in the change log. Each transaction that changes stored deliveries logs their ids.
 */
import { type Changes, maxChanges } from '../../inbox/records.ts'
import type { DeliveryRow } from '../../inbox/rows.ts'
import type { Connection } from '../connection/connection.ts'
import { lastId } from '../delivery-store/packs.ts'
import { withAttemptStats } from './attempt-stats.ts'

/**
 * The maximum number of new deliveries in one response. Changed deliveries follow, until none are left or the response
 * has at least twice this number of deliveries. If some are left, the next call returns them.
 */
const pageSize = 500

/**
 * How far a reader has read: the ids of the newest delivery and of the last entry of the change log that it has read.
 */
interface Position {
  id: number
  change: number
}

/**
 * One page of the deliveries that were stored or changed since the position `after`, as they are now. If there is no
 * `after`, or if changes since `after` may be missing (`gap`), returns no deliveries, but the current position.
 */
export function changes(connection: Connection, after: string | undefined): Changes {
  const { newest, oldest } = connection.get<Record<'newest' | 'oldest', number | null>>(selectEnds) ?? {}
  const last: Position = { id: lastId(connection), change: newest ?? 0 }
  const nothing = { deliveries: [], position: formatPosition(last), more: false }
  const from = after === undefined ? last : parsePosition(after)
  // A position beyond the last delivery or the last entry is from another file: a backup may have replaced that file.
  const gap = !from || from.id > last.id || from.change > last.change || from.change < (oldest ?? 1) - 1
  if (gap) return { ...nothing, gap: true }
  if (from.id === last.id && from.change === last.change) return { ...nothing, gap: false }
  const added = connection.all<{ id: number }>(selectNew, from.id, last.id, pageSize).map(({ id }) => id)
  const seen: Position = { id: added.length < pageSize ? last.id : (added.at(-1) ?? last.id), change: from.change }
  const ids = new Set(added)
  const logged = connection.each<{ id: number; deliveries: string }>(selectChanges, from.change, last.change)
  for (const { id, deliveries } of logged) {
    if (ids.size >= 2 * pageSize) break
    for (const one of deliveries.split(',')) ids.add(Number(one))
    seen.change = id
  }
  const rows = [...ids].flatMap((id) => connection.get<DeliveryRow>('select * from deliveries where id = ?', id) ?? [])
  const more = seen.id < last.id || seen.change < last.change
  return { deliveries: withAttemptStats(connection, rows), position: formatPosition(seen), more, gap: false }
}

export function deleteOldChanges(connection: Connection): void {
  connection.run(deleteChanges, maxChanges)
}

const formatPosition = ({ id, change }: Position): string => `${id}-${change}`

function parsePosition(text: string): Position | undefined {
  const [, id, change] = /^(\d{1,15})-(\d{1,15})$/.exec(text) ?? []
  return id === undefined ? undefined : { id: Number(id), change: Number(change) }
}

/**
 * Has one select for each end of the table. For a select with only `max(id)` or only `min(id)`, SQLite reads one row at
 * the end of the table. For a select with both, it would read the whole table.
 */
const selectEnds = 'select (select max(id) from changes) as newest, (select min(id) from changes) as oldest'

const selectNew = 'select id from deliveries where id > ? and id <= ? order by id limit ?'
const selectChanges = 'select id, deliveries from changes where id > ? and id <= ? order by id'
const deleteChanges = 'delete from changes where id <= (select max(id) from changes) - ?'

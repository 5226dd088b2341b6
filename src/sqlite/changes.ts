/** The log of what changed, which each transaction adds to, and which tells whoever watches, in whatever process, what to look at again. */
import type { Changes } from '../inbox/records.ts'
import type { Connection } from './connection.ts'
import { type DeliveryRow, summaryOf } from './rows.ts'

/** Transactions that are kept: whoever was away for longer looks at everything anew. */
const kept = 20_000

/** Deliveries after which a look ends, for the next to go on. */
const enough = 500

/** What was changed by the transactions after one, each delivery as it is now. */
export function changes(connection: Connection, after: number | undefined): Changes {
  const { newest, oldest } = connection.get<Ends>(selectEnds) ?? { newest: null, oldest: null }
  const last = newest ?? 0
  if (after === undefined || after === last) return { deliveries: [], position: last, more: false, gap: false }
  // A position from after the last is that of another file: of this one before a backup took its place.
  if (after > last || after < (oldest ?? 1) - 1) return { deliveries: [], position: last, more: false, gap: true }
  const ids = new Set<number>()
  let position = after
  for (const { id, deliveries } of connection.each<Change>(selectChanges, after)) {
    for (const one of deliveries.split(',')) ids.add(Number(one))
    position = id
    if (ids.size >= enough) break
  }
  const rows = [...ids].flatMap((id) => connection.get<DeliveryRow>('select * from deliveries where id = ?', id) ?? [])
  return { deliveries: rows.map(summaryOf), position, more: position < last, gap: false }
}

export function deleteOldChanges(connection: Connection): void {
  connection.run(deleteChanges, kept)
}

interface Ends {
  newest: number | null
  oldest: number | null
}

interface Change {
  id: number
  deliveries: string
}

/** The two in selects of their own, each of which SQLite finds at an end of the table. */
const selectEnds = 'select (select max(id) from changes) as newest, (select min(id) from changes) as oldest'

const selectChanges = 'select id, deliveries from changes where id > ? order by id'

const deleteChanges = 'delete from changes where id <= (select max(id) from changes) - ?'

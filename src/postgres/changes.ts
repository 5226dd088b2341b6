/**
 * The change log: each transaction logs the deliveries that it has stored and changed, and clients of any process read
 * them in pages.
 *
 * Transactions do not commit in the order in which they start, so no number can be a client's position. A position is a
 * snapshot of PostgreSQL, which tells for every transaction whether it had committed. New changes are those that the
 * current snapshot shows and the client's does not. If they do not fit into one page, the position holds both snapshots
 * and the last row that was read.
 */
import type { Changes } from '../inbox/records.ts'
import { maxChanges } from '../inbox/retention.ts'
import type { SummaryRow } from '../inbox/rows.ts'
import { withAttemptStats } from './attempt-stats.ts'
import type { Sql } from './connection.ts'
import { formatPosition, isAfter, type Position, parsePosition, sees } from './snapshot-position.ts'
import type { Transaction } from './transaction.ts'

/** Deliveries of one page. */
const pageSize = 500

/** The deliveries that were stored or changed since a position, as they are now. */
export async function changes(sql: Sql, after: string | undefined): Promise<Changes> {
  const { store, now, forgotten } = (await sql.get<InboxPosition>(selectPosition)) as InboxPosition
  const last: Position = { store, before: now }
  const nothing = { deliveries: [], position: formatPosition(last), more: false }
  if (after === undefined) return { ...nothing, gap: false }
  const from = parsePosition(after)
  if (!from || from.store !== store || isGap(from, now, forgotten)) return { ...nothing, gap: true }
  if (from.before === now) return { ...nothing, gap: false }

  const until = from.until ?? { now, id: 0 }
  const rows = await sql.all<Change>(selectChanges, from.before, until.now, until.id, pageSize + 1)
  const ids = new Set<number>()
  let seen = 0
  for (const { deliveries } of rows) {
    if (ids.size >= pageSize || seen >= pageSize) break
    for (const id of deliveries) ids.add(id)
    seen++
  }
  const more = seen < rows.length
  const at = more ? { now: until.now, id: (rows[seen - 1] as Change).id } : undefined
  const position: Position = at ? { store, before: from.before, until: at } : { store, before: until.now }
  const deliveries = ids.size > 0 ? await sql.all<SummaryRow>(selectDeliveries, [...ids]) : []
  return { deliveries: await withAttemptStats(sql, deliveries), position: formatPosition(position), more, gap: false }
}

/** Deletes old rows and records the last transaction whose rows were deleted. */
export async function deleteOldChanges(transaction: Transaction): Promise<void> {
  await transaction.run(deleteChanges, maxChanges)
}

/**
 * Deletes the change log if it names future transactions, as in a dump that was restored on another server. The store gets
 * a new id, so that clients read the whole list again.
 */
export async function resetIfMoved(transaction: Transaction): Promise<void> {
  if ((await transaction.run(resetStore)) === 0) return
  await transaction.run('delete from changes')
  await transaction.run('delete from acks')
}

/**
 * Whether changes since a position may be lost: their rows were deleted, or the position is in the future because a backup
 * was restored.
 */
function isGap({ before, until }: Position, now: string, forgotten: number | null): boolean {
  if (isAfter(before, now) || (until && isAfter(until.now, now))) return true
  return forgotten !== null && !sees(before, forgotten, now)
}

interface InboxPosition {
  store: string
  now: string
  /** The last transaction whose rows were deleted. */
  forgotten: number | null
}

interface Change {
  id: number
  deliveries: number[]
}

const selectPosition = `
  select store, pg_current_snapshot()::text as now, forgotten::text::bigint as forgotten from inbox_info`

/** Visible rows were committed by transactions before the end of this snapshot, unless they come from another server. */
const resetStore = `
  update inbox_info set store = gen_random_uuid(), forgotten = null
  where greatest(
      forgotten,
      (select transaction from changes order by transaction desc limit 1),
      (select batch::text::xid8 from acks where batch > 0 order by batch desc limit 1) -- batches of imports are negative
    ) >= pg_snapshot_xmax(pg_current_snapshot())`

/** Later commits do not add rows to this set, so pages in the order of ids miss none. */
const selectChanges = `
  select id, to_json(deliveries) as deliveries
  from changes
  where transaction >= pg_snapshot_xmin($1::pg_snapshot)
    and not pg_visible_in_snapshot(transaction, $1::pg_snapshot)
    and pg_visible_in_snapshot(transaction, $2::pg_snapshot)
    and id > $3
  order by id
  limit $4`

const selectDeliveries = `
  select id, variant, source, hook_id, guid, event, state, next_at, received_at, headers_size, size, form, recovered,
         duplicates, replayed, action, repository, sender, title, ref, sha, number, edited_from
  from deliveries
  where id = any($1::bigint[])
  order by id`

/** Deletes the rows of whole transactions, the lowest numbers first. A lower number that commits later is deleted next time. */
const deleteChanges = `
  with deleted as (
    delete from changes
    where transaction < (select transaction from changes order by transaction desc, id desc offset $1 - 1 limit 1)
    returning transaction
  )
  update inbox_info set forgotten = greatest(forgotten, last.transaction)
  from (select transaction from deleted order by transaction desc limit 1) as last`

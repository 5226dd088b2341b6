/**
 * What changed, which tells whoever watches, in whatever process, what to look at again. Each transaction logs what it
 * stored and what it changed.
 *
 * Transactions do not commit in the order in which they begin, so no number says how far somebody has seen: a position
 * is PostgreSQL's snapshot of that moment, which tells for every transaction whether it had committed by then. What is
 * new is what the snapshot of now shows and that one does not. Where this is too much for one look, the position keeps
 * both snapshots, and the last of the rows between them that was seen.
 */
import type { Changes } from '../inbox/records.ts'
import type { SummaryRow } from '../inbox/rows.ts'
import { withAttemptStats } from './attempt-stats.ts'
import type { Session, Sql } from './connection.ts'
import { formatPosition, isAfter, type Position, parsePosition, sees } from './snapshot-position.ts'

/** Rows that are kept: whoever was away for longer looks at everything anew. */
const maxChanges = 20_000

/** Deliveries after which a look ends, for the next to go on. */
const pageSize = 500

/** What is new and what was changed since a position, each delivery as it is now. */
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

/** Notes up to which transaction they are gone. */
export async function deleteOldChanges(session: Session): Promise<void> {
  await session.run(deleteChanges, maxChanges)
}

/**
 * A dump that was restored on another server names transactions that are still to come there. What is known of them is
 * forgotten, and this is another store, so that whoever watched looks at everything anew, once.
 */
export async function resetIfMoved(session: Session): Promise<void> {
  if ((await session.run(resetStore)) === 0) return
  await session.run('delete from changes')
  await session.run('delete from acks')
}

/**
 * Whether nobody knows any more what is new since a position, or it is one that this store has not come to: of the time
 * before a backup took its place.
 */
function isGap({ before, until }: Position, now: string, forgotten: number | null): boolean {
  if (isAfter(before, now) || (until && isAfter(until.now, now))) return true
  return forgotten !== null && !sees(before, forgotten, now)
}

interface InboxPosition {
  store: string
  now: string
  /** The last transaction of those whose changes were deleted. */
  forgotten: number | null
}

interface Change {
  id: number
  deliveries: number[]
}

const selectPosition = `
  select store, pg_current_snapshot()::text as now, forgotten::text::bigint as forgotten from inbox_info`

/** What can be seen by now was committed by transactions before the end of this snapshot. */
const resetStore = `
  update inbox_info set store = gen_random_uuid(), forgotten = null
  where greatest(
      forgotten,
      (select transaction from changes order by transaction desc limit 1),
      (select batch::text::xid8 from acks where batch > 0 order by batch desc limit 1) -- not of what was imported
    ) >= pg_snapshot_xmax(pg_current_snapshot())`

/** The set is fixed, whoever commits meanwhile, so that its order by id is too. */
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

/** Whole transactions, the oldest by their number: one that commits later, with a smaller one, stays a while. */
const deleteChanges = `
  with deleted as (
    delete from changes
    where transaction < (select transaction from changes order by transaction desc, id desc offset $1 - 1 limit 1)
    returning transaction
  )
  update inbox_info set forgotten = greatest(forgotten, last.transaction)
  from (select transaction from deleted order by transaction desc limit 1) as last`

/**
 * The change log: each transaction logs the deliveries that it stores or changes, and clients read them in pages.
 *
 * Transactions do not commit in the order in which they start, so no number can be a client's position. A position is a
 * snapshot of PostgreSQL, which tells for every transaction whether it had committed. New changes are those that the
 * current snapshot shows and the client's does not.
 */
import { type Changes, maxChanges } from '../inbox/records.ts'
import type { SummaryRow } from '../inbox/rows.ts'
import { summaryColumns, withAttemptStats } from './attempt-stats.ts'
import type { Sql } from './connection.ts'
import type { Transaction } from './database.ts'

/** A page ends after this number of deliveries, or of rows of the change log. */
const pageSize = 500

/** The deliveries that were stored or changed since a position, as they are now. */
export async function changes(sql: Sql, after: string | undefined): Promise<Changes> {
  const { store, now, forgotten } = (await sql.get<InboxPosition>(selectPosition)) as InboxPosition
  const nothing = { deliveries: [], position: formatPosition({ store, before: now }), more: false }
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
  const last: Position = more
    ? { store, before: from.before, until: { now: until.now, id: (rows[seen - 1] as Change).id } }
    : { store, before: until.now }
  const deliveries = ids.size > 0 ? await sql.all<SummaryRow>(selectDeliveries, [...ids]) : []
  return { deliveries: await withAttemptStats(sql, deliveries), position: formatPosition(last), more, gap: false }
}

/** Deletes old rows and records the last transaction whose rows were deleted. */
export async function deleteOldChanges(transaction: Transaction): Promise<void> {
  await transaction.run(deleteChanges, maxChanges)
}

/**
 * If the tables were restored from the dump of another server, deletes that server's change log and acknowledgements.
 * Clients then read the whole list again.
 */
export async function resetIfMoved(transaction: Transaction): Promise<void> {
  if ((await transaction.run(resetStore)) === 0) return
  await transaction.run('delete from changes')
  await transaction.run('delete from acks')
}

/**
 * Whether changes since a position may be lost: rows were deleted, or the database was restored from an older backup.
 */
function isGap({ before, until }: Position, now: string, forgotten: number | null): boolean {
  if (isAfter(before, now) || (until && isAfter(until.now, now))) return true
  return forgotten !== null && !sees(before, forgotten, now)
}

/** As text, a position can be the id of a server-sent event and a parameter in a URL. */
interface Position {
  store: string
  /** The client has read all changes that this snapshot shows. */
  before: string
  /** Between two pages: the snapshot up to which the client reads, and the last row that it has read. */
  until?: { now: string; id: number } | undefined
}

const snapshot = String.raw`\d{1,19}_\d{1,19}_(?:\d{1,19}(?:~\d{1,19})*)?`

const positionForm = new RegExp(String.raw`^([0-9a-f-]{36})\.(${snapshot})(?:\.(${snapshot})\.(\d{1,15}))?$`)

function formatPosition({ store, before, until }: Position): string {
  return [store, encode(before), ...(until ? [encode(until.now), until.id] : [])].join('.')
}

/** @returns `undefined` if the text is not a position. */
function parsePosition(text: string): Position | undefined {
  const [, store, before, now, id] = positionForm.exec(text) ?? []
  if (store === undefined || before === undefined) return undefined
  const position: Position = { store, before: decode(before) }
  if (now !== undefined) position.until = { now: decode(now), id: Number(id) }
  return [position.before, position.until?.now ?? position.before].every(isSnapshot) ? position : undefined
}

/** Whether `snapshot` was taken after `other`. Both must be from the same server. */
function isAfter(snapshot: string, other: string): boolean {
  return partsOf(snapshot).end > partsOf(other).end
}

/** Whether a snapshot contains every committed transaction up to `last`. @param now The current snapshot. */
function sees(snapshot: string, last: number, now: string): boolean {
  const { end, running } = partsOf(snapshot)
  const stillRunning = new Set(partsOf(now).running)
  return last < end && running.every((transaction) => transaction > last || stillRunning.has(transaction))
}

interface Snapshot {
  /** All transactions before this one have ended. */
  start: number
  /** This transaction and all later ones had not started. */
  end: number
  /** Transactions between `start` and `end` that were still running. */
  running: number[]
}

/** PostgreSQL's format: `start:end:running,running`. */
function partsOf(text: string): Snapshot {
  const [start, end, running = ''] = text.split(':')
  return { start: Number(start), end: Number(end), running: running === '' ? [] : running.split(',').map(Number) }
}

/** Whether PostgreSQL accepts a text as a snapshot. */
function isSnapshot(text: string): boolean {
  const { start, end, running } = partsOf(text)
  const known = [start, end, ...running]
  const inOrder = running.every((one, index) => one >= start && one < end && one > (running[index - 1] ?? 0))
  return known.every((one) => one > 0 && Number.isSafeInteger(one)) && start <= end && inOrder
}

const encode = (snapshot: string): string => snapshot.replaceAll(':', '_').replaceAll(',', '~')

const decode = (text: string): string => text.replaceAll('_', ':').replaceAll('~', ',')

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

/**
 * Detects rows from another server. If this server wrote a visible row, the id of its transaction is below the end
 * (`xmax`) of the current snapshot.
 */
const resetStore = `
  update inbox_info set store = gen_random_uuid(), forgotten = null
  where greatest(
      forgotten,
      (select transaction from changes order by transaction desc limit 1),
      (select batch::text::xid8 from acks where batch > 0 order by batch desc limit 1) -- batches of imports are negative
    ) >= pg_snapshot_xmax(pg_current_snapshot())`

/** Later commits do not add rows to this set, so pages in the order of ids miss no row. */
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
  select ${summaryColumns}
  from deliveries
  where id = any($1::bigint[])
  order by id`

/**
 * Keeps the newest `$1` rows, and all rows of the transaction that wrote the oldest of these. Deletes the rows of all
 * transactions with lower numbers. If such a transaction commits later, the next call deletes its rows.
 */
const deleteChanges = `
  with deleted as (
    delete from changes
    where transaction < (select transaction from changes order by transaction desc, id desc offset $1 - 1 limit 1)
    returning transaction
  )
  update inbox_info set forgotten = greatest(forgotten, last.transaction)
  from (select transaction from deleted order by transaction desc limit 1) as last`

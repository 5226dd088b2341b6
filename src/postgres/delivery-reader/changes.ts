/**
 * The change log: each transaction logs the deliveries that it stores or changes, and clients read these deliveries in
 * pages.
 *
 * Transactions do not commit in the order of their numbers, so the number of a transaction cannot be a client's
 * position. Instead, a position is a PostgreSQL snapshot. It tells for every transaction whether the transaction had
 * committed when the snapshot was taken. The new changes for a client are those that the current snapshot shows and the
 * client's snapshot does not.
 */
import { type Changes, maxChanges } from '../../inbox/records.ts'
import type { SummaryRow } from '../../inbox/rows.ts'
import type { Sql } from '../connection/connection.ts'
import type { Transaction } from '../connection/database.ts'
import { summaryColumns, withAttemptStats } from './attempt-stats.ts'

/** A page ends once it has at least this many deliveries, or this many rows of the change log. */
const pageSize = 500

/**
 * One page of the deliveries that were stored or changed since the position `after`, as they are now. If there is no
 * `after`, or if changes since `after` may be missing (`gap`), returns no deliveries, but the current position.
 */
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

/** Deletes the oldest rows of the change log, and records the last transaction whose rows were deleted. */
export async function deleteOldChanges(transaction: Transaction): Promise<void> {
  await transaction.run(deleteChanges, maxChanges)
}

/**
 * If `resetStore` detects that the tables were restored from the dump of another server, deletes the change log and the
 * acknowledgements: they contain transaction numbers of that server. Clients then read the whole list again.
 */
export async function resetIfMoved(transaction: Transaction): Promise<void> {
  if ((await transaction.run(resetStore)) === 0) return
  await transaction.run('delete from changes')
  await transaction.run('delete from acks')
}

/**
 * Whether changes since a position may be missing, because their rows were deleted or because the database was restored
 * from an older backup.
 */
function isGap({ before, until }: Position, now: string, forgotten: number | null): boolean {
  if (isAfter(before, now) || (until && isAfter(until.now, now))) return true
  return forgotten !== null && !sees(before, forgotten, now)
}

/** How far a client has read. As text, a position is the id of a server-sent event and a parameter in a URL. */
interface Position {
  store: string
  /** The client has read all changes that this snapshot shows. */
  before: string
  /**
   * Only if another page follows: the snapshot up to which the client reads, and the id of the last row of the change
   * log that the client has read.
   */
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

/**
 * Whether the end of `snapshot` is higher than the end of `other`, so that `snapshot` was taken later. Both must be
 * from the same server.
 */
function isAfter(snapshot: string, other: string): boolean {
  return partsOf(snapshot).end > partsOf(other).end
}

/**
 * Looks at the transactions with numbers up to `last`, except those that are still running. Returns whether `snapshot`
 * shows all of them.
 * @param now The current snapshot, which tells which transactions are still running.
 */
function sees(snapshot: string, last: number, now: string): boolean {
  const { end, running } = partsOf(snapshot)
  const stillRunning = new Set(partsOf(now).running)
  return last < end && running.every((transaction) => transaction > last || stillRunning.has(transaction))
}

interface Snapshot {
  /** All transactions before this one had ended. */
  start: number
  /** This transaction and all later ones had not ended. */
  end: number
  /** Transactions between `start` and `end` that were still running. */
  running: number[]
}

/** Parses a snapshot in PostgreSQL's format, `start:end:running,running`. */
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
  /** The last transaction whose rows were deleted from the change log. */
  forgotten: number | null
}

interface Change {
  id: number
  deliveries: number[]
}

const selectPosition = `
  select store, pg_current_snapshot()::text as now, forgotten::text::bigint as forgotten from inbox_info`

/**
 * Changes the id of the store if the tables have a row from another server. Each row has the number of the transaction
 * that wrote it. If that was a transaction of this server, it has ended, so its number is below the end (`xmax`) of the
 * current snapshot. So a row whose number is not below `xmax` is from another server.
 */
const resetStore = `
  update inbox_info set store = gen_random_uuid(), forgotten = null
  where greatest(
      forgotten,
      (select transaction from changes order by transaction desc limit 1),
      (select batch::text::xid8 from acks where batch > 0 order by batch desc limit 1) -- batches of imports are negative
    ) >= pg_snapshot_xmax(pg_current_snapshot())`

/**
 * The rows that the snapshot `$2` shows and the snapshot `$1` does not. No later commit adds such a row, so a client
 * that reads pages in the order of ids misses no row.
 */
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
 * transactions with lower numbers. If a transaction with a lower number commits only after this deletion, the next call
 * deletes its rows.
 */
const deleteChanges = `
  with deleted as (
    delete from changes
    where transaction < (select transaction from changes order by transaction desc, id desc offset $1 - 1 limit 1)
    returning transaction
  )
  update inbox_info set forgotten = greatest(forgotten, last.transaction)
  from (select transaction from deleted order by transaction desc limit 1) as last`

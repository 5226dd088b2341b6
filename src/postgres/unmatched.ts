/** Unmatched deliveries: locking them for an offer, making deliveries unmatched again, counting attempts to match. */
import type { ExistingTask } from '../inbox/match-tasks.ts'
import type { Match, MatchOffer } from '../inbox/task-queue.ts'
import type { Sql } from './connection.ts'
import { type ContentRow, storedColumns } from './read.ts'
import type { Transaction } from './transaction.ts'

export interface UnmatchedRow extends ContentRow {
  sha256: Buffer
  rerun: boolean
  /** From an earlier match. */
  tasks: ExistingTaskRow[] | null
}

export interface ExistingTaskRow extends ExistingTask {
  delivery_id: number
  order_hash: number | null
}

/**
 * Locks the oldest unmatched deliveries until the transaction ends.
 * @returns nothing if their tasks may be ordered and another worker is matching such deliveries.
 */
export function lockUnmatched(
  sql: Sql,
  { limit, bytes, ordered }: Pick<MatchOffer, 'limit' | 'bytes' | 'ordered'>,
): Promise<UnmatchedRow[]> {
  return sql.all(selectUnmatched, limit, bytes, ordered)
}

/**
 * Leaves out deliveries with an ordered task while an older delivery is unmatched, which a worker without ordered handlers
 * may have locked.
 */
export async function withoutOutOfOrder(
  transaction: Transaction,
  deliveries: readonly UnmatchedRow[],
  matches: ReadonlyMap<number, Match>,
): Promise<readonly UnmatchedRow[]> {
  const isOrdered = (id: number) => matches.get(id)?.tasks.some(({ key }) => key !== undefined)
  if (!deliveries.some(({ id }) => isOrdered(id))) return deliveries
  const ids = deliveries.map(({ id }) => id)
  const oldest = await transaction.get<{ id: number | null }>(selectOldestOther, ids)
  const limit = oldest?.id ?? Number.POSITIVE_INFINITY
  return deliveries.filter(({ id }) => id < limit || !isOrdered(id))
}

/** Makes deliveries, whose rows the caller has locked, unmatched again. @param rerun Whether handlers that succeeded run again. */
export async function rearmDeliveries(transaction: Transaction, ids: readonly number[], rerun: boolean): Promise<void> {
  await transaction.run(updateRearmed, ids, rerun)
  transaction.unmatched = true
  for (const id of ids) transaction.changed.add(id)
}

/** Counts an attempt to parse a payload. @returns the number of attempts, including this one. */
export async function countMatchAttempt(sql: Sql, id: number): Promise<number> {
  return (await sql.get<{ count: number }>(upsertAttempt, id))?.count ?? 1
}

export async function forgetMatchAttempts(sql: Sql, ids: readonly number[]): Promise<void> {
  await sql.run(deleteAttempts, ids)
}

/**
 * Skips rows that another transaction has locked: another worker is matching them, or an operator is ending them. Of the
 * rows within the limit it returns those whose bodies fit into `$2` bytes together, and always the first.
 */
const selectUnmatched = `
  with locked as materialized (
    select * from deliveries
    where not matched
      and (not $3::boolean or (select pg_try_advisory_xact_lock(hashtextextended('hookserver matches ' || current_schema(), 1))))
    order by id
    limit $1
    for update skip locked
  ), summed as (
    select *, sum(size) over (order by id) as total from locked
  )
  select
    ${storedColumns('summed')}, sha256, rerun, bytes,
    (select json_agg(tasks) from tasks where delivery_id = summed.id) as tasks
  from summed left join contents on contents.delivery_id = summed.id
  where total <= $2 or total = size
  order by summed.id`

const selectOldestOther = 'select min(id) as id from deliveries where not matched and not (id = any($1::bigint[]))'

const updateRearmed = `
  update deliveries
  set state = 'pending', matched = false, next_at = null, reason = null, rerun = $2
  where id = any($1::bigint[])`

const upsertAttempt = `
  insert into match_attempts (delivery_id, count) values ($1, 1)
  on conflict (delivery_id) do update set count = match_attempts.count + 1
  returning count`

const deleteAttempts = 'delete from match_attempts where delivery_id = any($1::bigint[])'

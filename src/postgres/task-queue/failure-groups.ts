/** Records failure groups, in the transaction of the caller. */
import { firstHour } from '../../inbox/failure-rows.ts'
import { resolvedAge, type TaskFailure } from '../../inbox/task-failure.ts'
import { recordset, type Sql } from '../connection/connection.ts'

/** A failure. With a lease, it counts only if the worker still holds that lease. */
interface RecordedFailure extends TaskFailure {
  lease?: { delivery_id: number; attempt: number; worker: number } | undefined
}

/**
 * Creates groups, and records that groups have returned: those of these failures that have no tasks. Call this after
 * the transaction has locked the deliveries of the tasks, before it locks their queues, and before it writes the failures to
 * the tasks.
 * @param imported The deliveries whose tasks do not count, because this transaction has imported them.
 */
export async function saveFailureGroups(
  sql: Sql,
  failures: readonly RecordedFailure[],
  imported: readonly number[] = [],
): Promise<void> {
  const rows = failures.map(({ lease, ...failure }) => ({ ...failure, ...lease }))
  if (rows.length > 0) await sql.run(upsertGroups, recordset(rows), imported)
}

/** Records which groups are resolved. Deletes those that were resolved long ago, and old counts, and folds counts. */
export async function resolveFailureGroups(sql: Sql, now: number): Promise<void> {
  await sql.run(reopenGroups)
  await sql.run(markResolved, now)
  await sql.run(deleteResolved, now - resolvedAge)
  await foldFailureCounts(sql, now)
}

/** Replaces the counts of each measure with their sum, as `foldStateCounts` does. */
export async function foldFailureCounts(sql: Sql, now: number): Promise<void> {
  await sql.run(foldCounts, firstHour(now))
}

const foldCounts = `
  with gone as (delete from failure_counts returning failure_group, measure, hour, count)
  insert into failure_counts
  select failure_group, measure, hour, sum(count)
  from gone
  where hour = 0 or hour >= $1
  group by failure_group, measure, hour
  having sum(count) <> 0`

/**
 * In the order of ids, so that no two transactions wait for each other. A group that has tasks is left out, and not
 * locked, because many transactions may record its failures at the same time.
 */
const upsertGroups = `
  insert into failure_groups (id, handler, error, first_at)
  select id, min(handler), min(error), min(at)
  from json_to_recordset($1::json) as input (
    id bigint, handler text, error text, at bigint, delivery_id bigint, attempt int, worker bigint)
  where not exists (select 1 from tasks where failure_group = input.id and delivery_id <> all($2::bigint[]))
    and (worker is null or exists (
      select 1 from tasks
      where tasks.delivery_id = input.delivery_id and tasks.handler = input.handler
        and tasks.attempt = input.attempt and tasks.worker = input.worker and tasks.state = 'running'))
  group by id
  order by id
  on conflict (id) do update set returned_at = excluded.first_at, resolved_at = null`

/**
 * A transaction that records a failure of a group with tasks does not lock the group. Meanwhile, these tasks may have
 * ended, and `markResolved` may have marked the group.
 */
const reopenGroups = `
  update failure_groups set resolved_at = null
  where id = any(array(
    select id from failure_groups
    where resolved_at is not null and exists (select 1 from tasks where failure_group = failure_groups.id)
    for update skip locked))`

/** Skips locked rows: another transaction is recording that these groups have returned. */
const markResolved = `
  update failure_groups set resolved_at = $1
  where id = any(array(
    select id from failure_groups
    where resolved_at is null and not exists (select 1 from tasks where failure_group = failure_groups.id)
    for update skip locked))`

const deleteResolved = `
  delete from failure_groups
  where id = any(array(
    select id from failure_groups
    where resolved_at < $1 and not exists (select 1 from tasks where failure_group = failure_groups.id)
    for update skip locked))`

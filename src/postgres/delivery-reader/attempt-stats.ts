import type { DeliverySummary, Failure } from '../../inbox/records.ts'
import {
  type AttemptStatsRow,
  type FailureRow,
  maxErrorLength,
  type SummaryRow,
  toFailure,
  toSummaries,
} from '../../inbox/rows.ts'
import { idsOf, type Sql } from '../connection/connection.ts'
import { stateColumns } from './states.ts'

/** The columns of a `SummaryRow`. */
export const summaryColumns = `
  id, variant, source, hook_id, guid, event, ${stateColumns}, received_at, headers_size, size, form, pulled,
  duplicates, replayed, action, repository, sender, title, ref, sha, number, edited_from`

/** Summaries of deliveries, with the statistics of their attempts. */
export async function withAttemptStats(sql: Sql, rows: readonly SummaryRow[]): Promise<DeliverySummary[]> {
  if (rows.length === 0) return []
  return toSummaries(rows, await sql.all<AttemptStatsRow>(selectStats, idsOf(rows)))
}

/** The latest failed attempt of a delivery, among those of tasks that are `retrying` or `dead`. */
const latestFailure = (delivery: string): string => `
  from attempts join tasks using (delivery_id, handler)
  where delivery_id = ${delivery} and tasks.state in ('dead', 'retrying') and outcome in ('failed', 'dead')
  order by attempts.started_at desc, number desc
  limit 1`

/**
 * Uses lateral subqueries, so that PostgreSQL finds the attempts and the tasks of each delivery by index. For a join,
 * PostgreSQL might read all attempts.
 */
const selectStats = `
  select input.id, max_attempts, duration, failure, paused_handlers
  from unnest($1::bigint[]) as input (id),
    lateral (
      select sum(duration)::bigint as duration
      from attempts
      where delivery_id = input.id
    ) as ended,
    lateral (select max(attempt) as max_attempts from tasks where delivery_id = input.id) as started,
    lateral (
      select array_agg(handler order by handler collate "C") as paused_handlers
      from tasks
      where delivery_id = input.id and state in ('pending', 'retrying')
        and exists (select from pauses where pauses.handler in (tasks.handler, '*'))
    ) as waiting
    left join lateral (
      select json_build_object('handler', handler, 'error', left(error, ${4 * maxErrorLength})) as failure
      ${latestFailure('input.id')}
    ) as last on true`

/** The latest failed attempt of each handler, by name. */
export async function failures(sql: Sql): Promise<Failure[]> {
  return (await sql.all<FailureRow>(selectFailures)).map(toFailure)
}

/** One seek in the index of failed attempts for each handler, and one for its latest failure. */
const selectFailures = `
  with recursive failed as (
    (select handler from attempts where (outcome || '') in ('failed', 'dead') order by handler limit 1)
    union all
    select next.handler
    from failed, lateral (
      select handler from attempts
      where (outcome || '') in ('failed', 'dead') and handler > failed.handler
      order by handler
      limit 1) as next
  )
  select failed.handler, latest.delivery_id as id, latest.at, left(latest.error, ${4 * maxErrorLength}) as error
  from failed, lateral (
    select delivery_id, started_at + coalesce(duration, 0) as at, error
    from attempts
    where handler = failed.handler and (outcome || '') in ('failed', 'dead')
    order by started_at + coalesce(duration, 0) desc, delivery_id desc
    limit 1) as latest
  order by failed.handler collate "C"`

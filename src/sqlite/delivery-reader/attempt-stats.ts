import type { DeliverySummary, Failure } from '../../inbox/records.ts'
import {
  type AttemptStatsRow,
  type DeliveryRow,
  type FailureRow,
  maxErrorLength,
  toFailure,
  toSummaries,
} from '../../inbox/rows.ts'
import type { Connection } from '../connection/connection.ts'

/** Summaries of deliveries, with the statistics of their attempts. */
export function withAttemptStats(connection: Connection, rows: readonly DeliveryRow[]): DeliverySummary[] {
  if (rows.length === 0) return []
  const ids = JSON.stringify(rows.map(({ id }) => id))
  const stats = connection.all<StatsRow>(selectStats, ids)
  const parsed = stats.map(({ failure, paused_handlers, ...row }): AttemptStatsRow => {
    return { ...row, failure: failure && JSON.parse(failure), paused_handlers: JSON.parse(paused_handlers) }
  })
  return toSummaries(rows, parsed)
}

/** The latest failed attempt of a delivery, among those of tasks that are `retrying` or `dead`. */
const latestFailure = (delivery: string): string => `
  from attempts join tasks using (delivery_id, handler)
  where delivery_id = ${delivery} and tasks.state in ('dead', 'retrying') and outcome in ('failed', 'dead')
  order by attempts.started_at desc, number desc
  limit 1`

/** Each scalar subquery returns one column, so the failure and the list of handlers are JSON texts. */
type StatsRow = Omit<AttemptStatsRow, 'failure' | 'paused_handlers'> & {
  failure: string | null
  paused_handlers: string
}

const selectStats = `
  select
    input.value as id,
    (select max(attempt) from tasks where delivery_id = input.value) as max_attempts,
    (select sum(duration) from attempts where delivery_id = input.value) as duration,
    (
      select json_object('handler', handler, 'error', substr(error, 1, ${4 * maxErrorLength}))
      ${latestFailure('input.value')}
    ) as failure,
    (
      select json_group_array(handler)
      from (
        select handler from tasks
        where delivery_id = input.value and state in ('pending', 'retrying')
          and exists (select 1 from pauses where pauses.handler in (tasks.handler, '*'))
        order by handler)
    ) as paused_handlers
  from json_each(?) as input`

/** The latest failed attempt of each handler, by name. */
export function failures(connection: Connection): Failure[] {
  return connection.all<FailureRow>(selectFailures).map(toFailure)
}

/** One seek in the index of failed attempts for each handler, and one for its latest failure. */
const selectFailures = `
  with recursive failed (handler) as (
    select min(handler) from attempts where outcome in ('failed', 'dead')
    union all
    select (select min(handler) from attempts where outcome in ('failed', 'dead') and handler > failed.handler)
    from failed
    where handler is not null
  )
  select
    failed.handler, delivery_id as id, started_at + coalesce(duration, 0) as at,
    substr(error, 1, ${4 * maxErrorLength}) as error
  from failed join attempts on attempts.handler = failed.handler and (delivery_id, number) = (
    select delivery_id, number from attempts
    where handler = failed.handler and outcome in ('failed', 'dead')
    order by started_at + coalesce(duration, 0) desc, delivery_id desc
    limit 1)
  order by failed.handler`

import type { DeliverySummary, Failure } from '../../inbox/records.ts'
import {
  type AttemptStatsRow,
  type DeliveryRow,
  type FailureRow,
  maxAttemptsRead,
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
export const latestFailure = (delivery: string): string => `
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

/** The latest failure of each handler, among the attempts of the newest deliveries. */
export function failures(connection: Connection): Failure[] {
  return connection.all<FailureRow>(selectFailures).map(toFailure)
}

/**
 * With `max`, SQLite takes the other columns from the row with the maximum. The query reads only the errors of these
 * rows.
 */
const selectFailures = `
  with last as (
    select handler, delivery_id, number, max(started_at + coalesce(duration, 0)) as at
    from (
      select delivery_id, handler, number, started_at, duration, outcome
      from attempts
      order by delivery_id desc, handler desc, number desc
      limit ${maxAttemptsRead})
    where outcome in ('failed', 'dead')
    group by handler
  )
  select last.handler, last.delivery_id as id, last.at, substr(error, 1, ${4 * maxErrorLength}) as error
  from last join attempts using (delivery_id, handler, number)
  order by last.handler`

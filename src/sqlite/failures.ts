import { type Failure, type FailureRow, maxAttemptsRead, maxErrorLength, toFailure } from '../inbox/failure.ts'
import type { Connection } from './connection.ts'

/** The last failure of each handler, among the attempts of the newest deliveries. */
export function failures(connection: Connection): Failure[] {
  return connection.all<FailureRow>(selectFailures).map(toFailure)
}

/** Beside `max`, SQLite takes the other columns from the row with the maximum. Errors are read for these rows only. */
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

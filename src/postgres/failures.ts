import { type Failure, type FailureRow, maxAttemptsRead, maxErrorLength, toFailure } from '../inbox/failure.ts'
import type { Sql } from './connection.ts'

/** The last failure of each handler, among the attempts of the newest deliveries. */
export async function failures(sql: Sql): Promise<Failure[]> {
  return (await sql.all<FailureRow>(selectFailures)).map(toFailure)
}

/** Reads the errors of the last failures only. */
const selectFailures = `
  select last.handler, last.delivery_id as id, at, left(error, ${4 * maxErrorLength}) as error
  from (
    select distinct on (handler) handler, delivery_id, number, started_at + coalesce(duration, 0) as at
    from (
      select delivery_id, handler, number, started_at, duration, outcome
      from attempts
      order by delivery_id desc, handler desc, number desc
      limit ${maxAttemptsRead}) as recent
    where outcome in ('failed', 'dead')
    order by handler, started_at + coalesce(duration, 0) desc, delivery_id desc
  ) as last
  join attempts using (delivery_id, handler, number)
  order by last.handler collate "C"`

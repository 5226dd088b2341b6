import type { AttemptStatsRow } from '../inbox/attempt-stats.ts'
import { maxErrorLength } from '../inbox/failure.ts'
import type { DeliverySummary } from '../inbox/records.ts'
import { type DeliveryRow, toSummaries } from '../inbox/rows.ts'
import type { Connection } from './connection.ts'

/** What a list shows of these rows, with the work that they have been. */
export function withAttemptStats(connection: Connection, rows: readonly DeliveryRow[]): DeliverySummary[] {
  if (rows.length === 0) return []
  const ids = JSON.stringify(rows.map(({ id }) => id))
  const efforts = connection.all<StatsWithJson>(selectStats, ids)
  return toSummaries(
    rows,
    efforts.map(({ failure, ...effort }) => ({ ...effort, failure: failure === null ? null : JSON.parse(failure) })),
  )
}

/** A select within another gives one column. */
type StatsWithJson = Omit<AttemptStatsRow, 'failure'> & { failure: string | null }

const selectStats = `
  select
    told.value as id,
    (select count(*) from attempts where delivery_id = told.value)
      + (select count(*) from tasks where delivery_id = told.value and state = 'running') as attempts,
    (select sum(duration) from attempts where delivery_id = told.value) as duration,
    (
      select json_object('handler', handler, 'error', substr(error, 1, ${4 * maxErrorLength}))
      from attempts join tasks using (delivery_id, handler)
      where delivery_id = told.value and tasks.state in ('dead', 'retrying') and outcome in ('failed', 'dead')
      order by attempts.started_at desc, number desc
      limit 1
    ) as failure
  from json_each(?) as told`

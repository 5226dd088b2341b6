import type { AttemptStatsRow } from '../inbox/attempt-stats.ts'
import { maxErrorLength } from '../inbox/failure.ts'
import type { DeliverySummary } from '../inbox/records.ts'
import { type SummaryRow, toSummaries } from '../inbox/rows.ts'
import type { Sql } from './connection.ts'

/** What a list shows of these rows, with the work that they have been. */
export async function withAttemptStats(sql: Sql, rows: readonly SummaryRow[]): Promise<DeliverySummary[]> {
  if (rows.length === 0) return []
  const ids = rows.map(({ id }) => id)
  return toSummaries(rows, await sql.all<AttemptStatsRow>(selectStats, ids))
}

/** Of each by a look of its own: of a join PostgreSQL may make one through all attempts that there are. */
const selectStats = `
  select told.id, ended.attempts + running.attempts as attempts, duration, failure
  from unnest($1::bigint[]) as told (id),
    lateral (
      select count(*) as attempts, sum(duration)::bigint as duration
      from attempts
      where delivery_id = told.id
    ) as ended,
    lateral (select count(*) as attempts from tasks where delivery_id = told.id and state = 'running') as running
    left join lateral (
      select json_build_object('handler', handler, 'error', left(error, ${4 * maxErrorLength})) as failure
      from attempts join tasks using (delivery_id, handler)
      where delivery_id = told.id and tasks.state in ('dead', 'retrying') and outcome in ('failed', 'dead')
      order by attempts.started_at desc, number desc
      limit 1
    ) as last on true`

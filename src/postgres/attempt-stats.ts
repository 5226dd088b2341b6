import type { AttemptStatsRow } from '../inbox/attempt-stats.ts'
import { maxErrorLength } from '../inbox/failure.ts'
import type { DeliverySummary } from '../inbox/records.ts'
import { type SummaryRow, toSummaries } from '../inbox/rows.ts'
import type { Sql } from './connection.ts'

/** Summaries of deliveries, with the statistics of their attempts. */
export async function withAttemptStats(sql: Sql, rows: readonly SummaryRow[]): Promise<DeliverySummary[]> {
  if (rows.length === 0) return []
  const ids = rows.map(({ id }) => id)
  return toSummaries(rows, await sql.all<AttemptStatsRow>(selectStats, ids))
}

/** Lateral, so that PostgreSQL looks up each delivery by index. For a join it may read all attempts. */
const selectStats = `
  select input.id, ended.attempts + running.attempts as attempts, duration, failure
  from unnest($1::bigint[]) as input (id),
    lateral (
      select count(*) as attempts, sum(duration)::bigint as duration
      from attempts
      where delivery_id = input.id
    ) as ended,
    lateral (select count(*) as attempts from tasks where delivery_id = input.id and state = 'running') as running
    left join lateral (
      select json_build_object('handler', handler, 'error', left(error, ${4 * maxErrorLength})) as failure
      from attempts join tasks using (delivery_id, handler)
      where delivery_id = input.id and tasks.state in ('dead', 'retrying') and outcome in ('failed', 'dead')
      order by attempts.started_at desc, number desc
      limit 1
    ) as last on true`

import { pageBounds, stepSize } from '../../inbox/query/paging.ts'
import {
  countBudget,
  type TimeCount,
  type TimeCountQuery,
  TimeCountSum,
  type TimeCounts,
} from '../../inbox/query/time-counts.ts'
import type { Sql } from '../connection/connection.ts'
import { conditionsOf } from './conditions.ts'
import { firstId, sourceOf } from './search.ts'
import { isRunning } from './states.ts'

/** Counts the deliveries of a search by their time of receipt, from the newest to the oldest, until the time is up. */
export async function timeCounts(sql: Sql, { query, step }: TimeCountQuery): Promise<TimeCounts> {
  pageBounds(query)
  const end = performance.now() + countBudget
  let before = firstId(query)
  const { rest, nextStep } = await sourceOf(sql, query, before)
  const values: unknown[] = []
  const conditions = conditionsOf(rest, query, (value) => `$${values.push(value) + 2}`)
  const select = selectTimeCounts(conditions)
  const sum = new TimeCountSum()
  for (;;) {
    const { ids, reached } = await nextStep(before, stepSize(rest))
    if (ids.length > 0) sum.add(await sql.all<TimeCount>(select, ids, step, ...values))
    if (reached === 0) return { counts: sum.counts, next: undefined }
    before = reached
    if (performance.now() > end) return { counts: sum.counts, next: before }
  }
}

const selectTimeCounts = (conditions: readonly string[]) => `
  select received_at - received_at % $2::bigint as at, count(*)::bigint as count,
         count(*) filter (where state in ('dead', 'retrying') and ${isRunning} is null)::bigint as failed
  from deliveries
  where id = any($1::bigint[]) ${conditions.map((one) => `and ${one}`).join(' ')}
  group by 1`

import { pageBounds, stepSize } from '../../inbox/query/paging.ts'
import {
  countBudget,
  type TimeCount,
  type TimeCountQuery,
  TimeCountSum,
  type TimeCounts,
} from '../../inbox/query/time-counts.ts'
import type { Connection } from '../connection/connection.ts'
import { type Condition, conditionOf } from './conditions.ts'
import { sourceOf, timesOf } from './search.ts'

/** Counts the deliveries of a search by their time of receipt, from the newest to the oldest, until the time is up. */
export function timeCounts(connection: Connection, { query, step }: TimeCountQuery): TimeCounts {
  pageBounds(query)
  const end = performance.now() + countBudget
  let before = query.before ?? Number.MAX_SAFE_INTEGER
  const { rest, nextStep } = sourceOf(connection, query, before)
  const conditions = [...rest.map(conditionOf), ...timesOf(query)]
  const values = conditions.flatMap((one) => one.values)
  const sql = selectTimeCounts(conditions)
  const sum = new TimeCountSum()
  for (;;) {
    const { ids, reached } = nextStep(before, stepSize(rest))
    sum.add(connection.each<TimeCount>(sql, step, JSON.stringify(ids), ...values))
    if (reached === 0) return { counts: sum.counts, next: undefined }
    before = reached
    if (performance.now() > end) return { counts: sum.counts, next: before }
  }
}

const selectTimeCounts = (conditions: readonly Condition[]) => `
  select received_at - received_at % ? as at, count(*) as count, sum(state in ('dead', 'retrying')) as failed
  from (select value from json_each(?)) as step cross join deliveries on deliveries.id = step.value
  where ${conditions.map(({ sql }) => sql).join(' and ') || 'true'}
  group by 1`

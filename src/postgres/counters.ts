import { type Count, type CountQuery, hour, minute } from '../inbox/counts.ts'
import { recordset, type Session, type Sql } from './connection.ts'

/** Milliseconds for which counts are kept, by their step. */
const retention: readonly (readonly [step: number, age: number])[] = [
  [minute, 26 * hour],
  [hour, 31 * 24 * hour],
]

/** Adds to the counts of the minute and of the hour, in the transaction of the caller. */
export async function addCounts(session: Session, counts: readonly Count[]): Promise<void> {
  const steps = retention.map(([step]) => step)
  await session.run(upsertCounts, recordset(counts), steps)
}

/** The sums in steps of a query's length. */
export function counts(sql: Sql, { since, step }: CountQuery): Promise<Count[]> {
  return sql.all<Count>(selectCounts, step, step < hour ? minute : hour, since)
}

export async function deleteOldCounts(session: Session, now: number): Promise<void> {
  for (const [step, age] of retention) await session.run(deleteCounts, step, now - age)
}

/** Each once, and in one order, so that no two transactions wait for each other. */
const upsertCounts = `
  insert into counts (step, at, measure, name, outcome, count)
  select step, at - at % step, measure, name, outcome, sum(count)
  from json_to_recordset($1::json) as told (at bigint, measure text, name text, outcome text, count bigint)
  cross join unnest($2::int[]) as step
  group by 1, 2, 3, 4, 5
  order by 1, 2, 3, 4, 5
  on conflict (step, at, measure, name, outcome) do update set count = counts.count + excluded.count`

const selectCounts = `
  select at - at % $1::bigint as at, measure, name, outcome, sum(count)::bigint as count
  from counts
  where step = $2 and at >= $3
  group by 1, 2, 3, 4
  order by 1, 2, 3, 4`

const deleteCounts = 'delete from counts where step = $1 and at < $2'

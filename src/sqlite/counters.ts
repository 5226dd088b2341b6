import { type Count, type CountQuery, hour, minute } from '../inbox/counts.ts'
import type { Connection } from './connection.ts'

/** Milliseconds for which counts are kept, by their step. */
const retention: readonly (readonly [step: number, age: number])[] = [
  [minute, 26 * hour],
  [hour, 31 * 24 * hour],
]

/** Adds to the counts of the minute and of the hour, in the transaction of the caller. */
export function addCounts(connection: Connection, counts: readonly Count[]): void {
  for (const { at, measure, name, outcome, count } of counts) {
    for (const [step] of retention) connection.run(upsertCount, step, at - (at % step), measure, name, outcome, count)
  }
}

/** The sums in steps of a query's length. */
export function counts(connection: Connection, { since, step }: CountQuery): Count[] {
  return connection.all<Count>(selectCounts, step, step < hour ? minute : hour, since)
}

export function deleteOldCounts(connection: Connection, now: number): void {
  for (const [step, age] of retention) connection.run(deleteCounts, step, now - age)
}

const upsertCount = `
  insert into counts (step, at, measure, name, outcome, count) values (?, ?, ?, ?, ?, ?)
  on conflict (step, at, measure, name, outcome) do update set count = count + excluded.count`

const selectCounts = `
  select at - at % ? as at, measure, name, outcome, sum(count) as count
  from counts
  where step = ? and at >= ?
  group by 1, measure, name, outcome
  order by 1, measure, name, outcome`

const deleteCounts = 'delete from counts where step = ? and at < ?'

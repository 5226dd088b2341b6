/**
 * The number of deliveries in each state. PostgreSQL takes a quarter of a second to count millions of rows. So triggers
 * insert the differences that each statement makes into `state_counts`, as new rows, so that no statement waits for
 * another. These rows are folded into one for each state from time to time.
 */
import { type DeliveryState, deliveryStates } from '../inbox/records.ts'
import type { Sql } from './connection.ts'

/** Rows that are summed up before they are folded. */
const foldThreshold = 2000

export async function countStates(sql: Sql): Promise<Record<DeliveryState, number>> {
  const states = Object.fromEntries(deliveryStates.map((state) => [state, 0])) as Record<DeliveryState, number>
  let rows = 0
  for (const row of await sql.all<StateCountRow>(sumCounts)) {
    states[row.state] = row.count
    rows += row.rows
  }
  if (rows > foldThreshold) await foldStateCounts(sql)
  return states
}

/** Several transactions may fold at the same time: each row is deleted by one of them, which adds its count. */
export async function foldStateCounts(sql: Sql): Promise<void> {
  await sql.run(foldCounts)
}

interface StateCountRow {
  state: DeliveryState
  count: number
  rows: number
}

const sumCounts = 'select state, sum(count)::bigint as count, count(*) as rows from state_counts group by state'

const foldCounts = `
  with gone as (delete from state_counts returning state, count)
  insert into state_counts select state, sum(count) from gone group by state having sum(count) <> 0`

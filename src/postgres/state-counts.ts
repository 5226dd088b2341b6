/**
 * How many deliveries are in which state. To count millions of rows takes PostgreSQL a quarter of a second, so each
 * statement that adds, changes or deletes some adds to `state_counts` by how many each state has more or fewer of (triggers
 * see to that): rows of its own, so that nobody waits for anybody. Now and then they are folded into one for each state.
 */
import { type DeliveryState, deliveryStates } from '../inbox/records.ts'
import type { Sql } from './connection.ts'

/** Rows that are summed up each time before they are folded. */
const foldThreshold = 2000

export async function countStates(sql: Sql): Promise<Record<DeliveryState, number>> {
  const states = Object.fromEntries(deliveryStates.map((state) => [state, 0])) as Record<DeliveryState, number>
  let rows = 0
  for (const tally of await sql.all<StateCountRow>(sumUp)) {
    states[tally.state] = tally.count
    rows += tally.rows
  }
  if (rows > foldThreshold) await foldStateCounts(sql)
  return states
}

/** Others may do so at the same time: each row is deleted by one of them, who adds what it said. */
export async function foldStateCounts(sql: Sql): Promise<void> {
  await sql.run(fold)
}

interface StateCountRow {
  state: DeliveryState
  count: number
  rows: number
}

const sumUp = 'select state, sum(count)::bigint as count, count(*) as rows from state_counts group by state'

const fold = `
  with gone as (delete from state_counts returning state, count)
  insert into state_counts select state, sum(count) from gone group by state having sum(count) <> 0`

/** The states of deliveries. */
import { type DeliveryState, deliveryStates } from '../../inbox/records.ts'
import { sumByState } from '../../inbox/states.ts'
import type { Sql } from '../connection/connection.ts'
import type { Transaction } from '../connection/database.ts'

/** The number of rows of `state_counts` above which `countStates` calls `foldStateCounts`. */
const foldThreshold = 2000

/**
 * Whether a task of a delivery runs. The delivery is then `running`, and the columns `state` and `next_at` of its row say
 * nothing: a claim does not write them. A match writes the state that the delivery has if its claimed tasks succeed. So a
 * delivery whose first attempt succeeds is written only once.
 *
 * While a task runs, the column is `done`, or a state of a delivery that has not ended. If it is `done`, no task has an
 * unresolved failure.
 *
 * A statement that waits for the lock of the row does not see the tasks that another transaction has changed meanwhile. So
 * a transaction that changes deliveries first locks them, and reads their states by another statement.
 */
export const isRunning = '(select true from tasks where delivery_id = deliveries.id and worker is not null limit 1)'

/**
 * The deliveries and order hashes of the running tasks, which are few. In the order of an index on the running tasks alone:
 * for any other order, PostgreSQL may read all tasks.
 */
export const selectRunning = 'select delivery_id, order_hash from tasks where worker is not null order by worker'

/** The ids of the deliveries that run. */
export const runningIds = `select delivery_id from (${selectRunning}) as running`

/** The state of a delivery. */
export const state = `case when ${isRunning} then 'running' else deliveries.state end`

/** The columns `state` and `next_at` of a result: those of the table, unless a task runs. */
export const stateColumns = `${state} as state, case when ${isRunning} then null else deliveries.next_at end as next_at`

/** The states of deliveries that the transaction has locked, by id. */
export async function statesOf(transaction: Transaction, ids: readonly number[]): Promise<Map<number, DeliveryState>> {
  if (ids.length === 0) return new Map()
  const rows = await transaction.all<{ id: number; state: DeliveryState }>(selectStates, ids)
  return new Map(rows.map(({ id, state }) => [id, state]))
}

/**
 * The number of deliveries in each state. Counting millions of deliveries takes a quarter of a second, so this function
 * adds up the rows of `state_counts` instead. Whenever a statement changes the number of deliveries with a value of the
 * column `state`, a trigger adds a row with the difference. It changes no existing row, so that no statement waits for
 * another. The deliveries that run are counted by their tasks.
 */
export async function countStates(sql: Sql): Promise<Record<DeliveryState, number>> {
  const sums = await sql.all<{ state: DeliveryState; count: number; rows: number }>(sumCounts)
  const rows = sums.reduce((total, one) => total + one.rows, 0)
  if (rows > foldThreshold) await foldStateCounts(sql)
  return sumByState(deliveryStates, sums)
}

/**
 * Replaces the rows of `state_counts` with one row for each state, which has their sum. If several transactions do this
 * concurrently, no row is counted twice: only the transaction that deletes a row adds the row's count to the sum.
 */
export async function foldStateCounts(sql: Sql): Promise<void> {
  await sql.run(foldCounts)
}

const selectStates = `select id, ${state} as state from deliveries where id = any($1::bigint[])`

const sumCounts = `
  with running as materialized (
    select state, count(*) as count from deliveries where id = any(array(${runningIds})) group by state
  )
  select state, sum(count)::bigint as count, count(*) as rows from state_counts group by state
  union all
  select state, -count, 0 from running
  union all
  select 'running', count, 0 from running`

const foldCounts = `
  with gone as (delete from state_counts returning state, count)
  insert into state_counts select state, sum(count) from gone group by state having sum(count) <> 0`

/** Whether the two latest leases of a task have expired. */
export const isSuspect: string = `tasks.attempt > 1 and 2 = (
  select count(*) from (
    select outcome from attempts
    where attempts.delivery_id = tasks.delivery_id and attempts.handler = tasks.handler and outcome <> 'released'
    order by number desc
    limit 2) as latest
  where outcome = 'cut off')`

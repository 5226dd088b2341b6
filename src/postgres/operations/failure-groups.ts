/** The operations on the tasks of a failure group, each in the transaction of the caller. */
import { idsOf, type Sql } from '../connection/connection.ts'
import type { Transaction } from '../connection/database.ts'
import { lockOrderKeysOf, promoteNext } from '../task-queue/order.ts'
import { updateDeliveryStates } from '../task-queue/tasks.ts'
import { makeTasksDue, type RetriedTask } from './operate.ts'

/**
 * Starts the tasks of a group and of these deliveries again, if they are `dead` or `retrying`. Leaves out deliveries
 * that wait to be matched again. @returns the ids of the deliveries of the tasks.
 */
export async function retryFailures(
  transaction: Transaction,
  group: number,
  ids: readonly number[],
): Promise<number[]> {
  const locked = await lockMatched(transaction, ids)
  if (locked.length === 0) return []
  const restarted = await transaction.all<RetriedTask>(restartTasks, locked, group)
  return makeTasksDue(transaction, locked, restarted)
}

/**
 * Discards the tasks of a group and of these deliveries, under the same conditions. @returns the ids of the deliveries of
 * the tasks.
 */
export async function discardFailures(
  transaction: Transaction,
  group: number,
  ids: readonly number[],
  reason: string,
): Promise<number[]> {
  const locked = await lockMatched(transaction, ids)
  if (locked.length === 0) return []
  const discarded = idsOf(await transaction.all(discardTasks, locked, group))
  await transaction.run(setReasons, discarded, reason)
  await promoteNext(transaction, discarded)
  await updateDeliveryStates(transaction, discarded)
  return discarded
}

/** The deliveries with `dead` and `retrying` tasks of a group, in the order of receipt. */
export const deliveriesOfFailure = async (sql: Sql, group: number): Promise<number[]> =>
  idsOf(await sql.all(selectDeliveries, group))

/** Locks deliveries that are matched, and the queues of their tasks. @returns the ids of the deliveries. */
async function lockMatched(transaction: Transaction, ids: readonly number[]): Promise<number[]> {
  const locked = idsOf(await transaction.all(selectForUpdate, ids))
  await lockOrderKeysOf(transaction, locked)
  return locked
}

const selectDeliveries = `
  select delivery_id as id from tasks where failure_group = $1 and state in ('dead', 'retrying') order by delivery_id`

const selectForUpdate = 'select id from deliveries where id = any($1::bigint[]) and matched order by id for update'

const restartTasks = `
  update tasks set state = 'pending', next_at = null, delay = null, attempts_used = 0, uncounted = 0
  where delivery_id = any($1::bigint[]) and failure_group = $2 and state in ('dead', 'retrying')
  returning delivery_id as id, handler, order_hash`

const discardTasks = `
  update tasks set state = 'discarded', next_at = null, delay = null, failure_group = null, failed_at = null
  where delivery_id = any($1::bigint[]) and failure_group = $2 and state in ('dead', 'retrying')
  returning delivery_id as id`

const setReasons = 'update deliveries set reason = $2 where id = any($1::bigint[])'

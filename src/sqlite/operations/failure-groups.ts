/** The operations on the tasks of a failure group, each in the transaction of the caller. */
import type { Connection } from '../connection/connection.ts'
import { blockUnlessFirst, promoteNext } from '../task-queue/order.ts'
import { updateDeliveryState } from '../task-queue/tasks.ts'
import { discardTask, restartTask } from './operate.ts'

interface FailedTask {
  handler: string
  order_key: string | null
}

/**
 * Starts the task of a group and a delivery again, if it is `dead` or `retrying`. @returns false if it is not, or if the
 * delivery waits to be matched again.
 */
export function retryFailure(connection: Connection, group: number, id: number): boolean {
  const task = connection.get<FailedTask>(selectFailed, group, id)
  if (!task) return false
  connection.run(restartTask, id, task.handler)
  blockUnlessFirst(connection, id, task.handler, task.order_key)
  updateDeliveryState(connection, id)
  return true
}

/** Discards the task of a group and a delivery, under the same conditions. */
export function discardFailure(connection: Connection, group: number, id: number, reason: string): boolean {
  const task = connection.get<FailedTask>(selectFailed, group, id)
  if (!task) return false
  connection.run(discardTask, id, task.handler)
  promoteNext(connection, task.handler, task.order_key)
  connection.run(setReason, reason, id)
  updateDeliveryState(connection, id)
  return true
}

/** The deliveries with `dead` and `retrying` tasks of a group, in the order of receipt. */
export const deliveriesOfFailure = (connection: Connection, group: number): number[] =>
  connection.all<{ id: number }>(selectDeliveries, group).map(({ id }) => id)

const selectFailed = `
  select handler, order_key
  from tasks join deliveries on deliveries.id = delivery_id
  where failure_group = ? and delivery_id = ? and tasks.state in ('dead', 'retrying') and matched = 1`

const selectDeliveries = `
  select delivery_id as id from tasks where failure_group = ? and state in ('dead', 'retrying') order by delivery_id`

const setReason = 'update deliveries set reason = ? where id = ?'

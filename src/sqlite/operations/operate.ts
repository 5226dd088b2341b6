/** The operations of an operator, each in the transaction of the caller. */
import type { SelectedIds } from '../../inbox/query/query.ts'
import type { DeliveryState, TaskState } from '../../inbox/records.ts'
import { hasEnded, rerunOf, restartableStates } from '../../inbox/states.ts'
import type { Connection } from '../connection/connection.ts'
import { nextPassOfPending } from '../task-queue/fairness.ts'
import { forgetMatchAttempts, rearmDelivery } from '../task-queue/match.ts'
import { blockUnlessFirst, promoteNext } from '../task-queue/order.ts'
import { insertAttempt, updateDeliveryState } from '../task-queue/tasks.ts'

interface Delivery {
  id: number
  state: DeliveryState
  matched: number
}

/** The states in which a delivery may be changed. */
type States = SelectedIds['states']

interface Task {
  handler: string
  state: TaskState
  order_key: string | null
  attempt: number
  started_at: number | null
}

/**
 * Retries a delivery. A delivery that has ended is matched again. In a matched delivery that has not ended, the tasks
 * that are `retrying`, `dead` or `discarded` start again. @returns false if there was nothing to retry.
 */
export function retry(connection: Connection, id: number, states?: States): boolean {
  const delivery = deliveryIn(connection, id, states)
  if (!delivery?.matched) return false
  const tasks = connection.all<Task>(selectTasks, id)
  if (hasEnded(delivery.state)) {
    const hasSucceeded = tasks.some(({ state }) => state === 'done')
    rearmDelivery(connection, id, rerunOf(delivery.state, hasSucceeded))
    return true
  }
  const retried = tasks.filter(({ state }) => retriedStates.includes(state))
  for (const { handler, order_key } of retried) {
    connection.run(restartTask, id, handler)
    blockUnlessFirst(connection, id, handler, order_key)
  }
  updateDeliveryState(connection, id)
  return retried.length > 0
}

/**
 * Starts the task of one handler again, also if its delivery has ended. @returns false if the task is not in a state of
 * `restartableStates`, or if the delivery waits to be matched.
 */
export function retryHandler(connection: Connection, id: number, handler: string, states?: States): boolean {
  const delivery = deliveryIn(connection, id, states)
  const task = connection.all<Task>(selectTasks, id).find((one) => one.handler === handler)
  if (!delivery?.matched || !task || !restartableStates.includes(task.state)) return false
  connection.run(restartTask, id, handler)
  blockUnlessFirst(connection, id, handler, task.order_key)
  connection.run(clearReason, id)
  updateDeliveryState(connection, id)
  return true
}

const retriedStates: readonly TaskState[] = ['retrying', 'dead', 'discarded']

/** A delivery, if it exists and is in one of the states. */
function deliveryIn(connection: Connection, id: number, states: States): Delivery | undefined {
  const delivery = connection.get<Delivery>(selectDelivery, id)
  return delivery && (!states || states.includes(delivery.state)) ? delivery : undefined
}

/**
 * Discards a delivery that is unfinished or dead. Its running handlers are not stopped, but their results are ignored.
 * @returns false if the delivery is in another state, or does not exist.
 */
export function discard(connection: Connection, id: number, reason: string, states?: States): boolean {
  const delivery = deliveryIn(connection, id, states)
  if (!delivery || (hasEnded(delivery.state) && delivery.state !== 'dead')) return false
  for (const { handler, state, order_key, attempt, started_at } of connection.all<Task>(selectTasks, id)) {
    if (state === 'done' || state === 'gone') continue
    if (state === 'running') {
      insertAttempt(connection, {
        id,
        handler,
        attempt,
        startedAt: started_at ?? 0,
        outcome: 'discarded',
        error: reason,
      })
    }
    connection.run(discardTask, id, handler)
    promoteNext(connection, handler, order_key)
  }
  connection.run(discardDelivery, reason, id)
  forgetMatchAttempts(connection, id)
  connection.changed.add(id)
  return true
}

const selectDelivery = 'select id, state, matched from deliveries where id = ?'
const selectTasks = 'select handler, state, order_key, attempt, started_at from tasks where delivery_id = ?'
export const restartTask = `
  update tasks
  set state = 'pending', next_at = 0, delay = null, pass = ${nextPassOfPending}, attempts_used = 0, uncounted = 0
  where delivery_id = ? and handler = ?`

const clearReason = 'update deliveries set reason = null where id = ? and reason is not null'

export const discardTask = `
  update tasks
  set state = 'discarded', next_at = null, delay = null, claimed_ahead = 0, worker = null, started_at = null,
      failure_group = null, failed_at = null
  where delivery_id = ? and handler = ?`

const discardDelivery = `
  update deliveries set state = 'discarded', matched = 1, rerun = 0, next_at = null, reason = ? where id = ?`

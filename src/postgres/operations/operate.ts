/** Manual operations on deliveries, in the transaction of the caller. */
import type { NewAuditEntry } from '../../inbox/audit-log.ts'
import type { SelectedIds } from '../../inbox/query/query.ts'
import type { DeliveryState } from '../../inbox/records.ts'
import { hasEnded, rerunOf, restartableStates } from '../../inbox/states.ts'
import { idsOf } from '../connection/connection.ts'
import type { Transaction } from '../connection/database.ts'
import { statesOf } from '../delivery-reader/states.ts'
import { recordChange } from '../metadata/audit-log.ts'
import { makeReady } from '../task-queue/fairness.ts'
import { forgetMatchAttempts, rearmDeliveries } from '../task-queue/match.ts'
import { lockOrderKeysOf, OrderQueues, promoteNext } from '../task-queue/order.ts'
import { updateDeliveryStates } from '../task-queue/tasks.ts'

interface LockedDelivery {
  id: number
  state: DeliveryState
  matched: boolean
}

export interface RetriedTask {
  id: number
  handler: string
  order_hash: number | null
}

/** Locks deliveries, and returns those that are in one of the selected states. */
async function lockSelected(transaction: Transaction, { ids, states }: SelectedIds): Promise<LockedDelivery[]> {
  const locked = await transaction.all<Omit<LockedDelivery, 'state'>>(selectForUpdate, [...new Set(ids)])
  const current = await statesOf(transaction, idsOf(locked))
  return locked
    .map((one): LockedDelivery => ({ ...one, state: current.get(one.id) as DeliveryState }))
    .filter(({ state }) => !states || states.includes(state))
}

/**
 * Retries deliveries. Deliveries that have ended are matched again. In matched deliveries that have not ended, the
 * tasks that are `retrying`, `dead` or `discarded` start again. @returns the ids of the deliveries that changed.
 */
export async function retry(transaction: Transaction, selected: SelectedIds): Promise<number[]> {
  const locked = await lockSelected(transaction, selected)
  const matched = locked.filter((delivery) => delivery.matched)
  const ended = matched.filter(({ state }) => hasEnded(state))
  await rearmEnded(transaction, ended)
  const unfinished = idsOf(matched.filter(({ state }) => !hasEnded(state)))
  return [...idsOf(ended), ...(await restartTasksOf(transaction, unfinished))]
}

async function rearmEnded(transaction: Transaction, ended: readonly LockedDelivery[]): Promise<void> {
  if (ended.length === 0) return
  // Read after the locks: another transaction may have ended a task while this one waited for them.
  const succeeded = new Set(idsOf(await transaction.all<{ id: number }>(selectSucceeded, idsOf(ended))))
  for (const rerun of [true, false]) {
    const rearmed = ended.filter(({ id, state }) => rerunOf(state, succeeded.has(id)) === rerun)
    if (rearmed.length > 0) await rearmDeliveries(transaction, idsOf(rearmed), rerun)
  }
}

/**
 * Starts the tasks of one handler again, also if their deliveries have ended. Leaves out tasks in other states than
 * `restartableStates`, and deliveries that wait to be matched. @returns the ids of the deliveries that changed.
 */
export async function retryHandler(
  transaction: Transaction,
  selected: SelectedIds,
  handler: string,
): Promise<number[]> {
  const locked = await lockSelected(transaction, selected)
  const matched = idsOf(locked.filter((delivery) => delivery.matched))
  if (matched.length === 0) return []
  await lockOrderKeysOf(transaction, matched)
  const restarted = await transaction.all<RetriedTask>(restartTasksOfHandler, matched, handler, restartableStates)
  await transaction.run(clearReasons, idsOf(restarted))
  return makeTasksDue(transaction, matched, restarted)
}

async function restartTasksOf(transaction: Transaction, ids: readonly number[]): Promise<number[]> {
  if (ids.length === 0) return []
  await lockOrderKeysOf(transaction, ids)
  const restarted = await transaction.all<RetriedTask>(restartTasks, ids)
  return makeTasksDue(transaction, ids, restarted)
}

/**
 * Makes tasks due that have started again, unless their order keys do not allow it. The caller has locked the queues of
 * the deliveries. @returns the ids of the deliveries.
 */
export async function makeTasksDue(
  transaction: Transaction,
  ids: readonly number[],
  restarted: readonly RetriedTask[],
): Promise<number[]> {
  const queues = await OrderQueues.ofDeliveries(transaction, ids)
  const due = restarted.filter(({ order_hash, id }) => queues.takeTurn(order_hash, id, false))
  const handlers = due.map(({ handler }) => handler)
  if ((await transaction.run(makeReady, idsOf(due), handlers)) > 0) transaction.due = true
  const changed = new Set(idsOf(restarted))
  await updateDeliveryStates(transaction, changed)
  return [...changed]
}

/**
 * Discards deliveries that are unfinished or dead. A running attempt goes on, but its result is not recorded.
 * @returns the ids of the discarded deliveries.
 */
export async function discard(transaction: Transaction, selected: SelectedIds, reason: string): Promise<number[]> {
  const locked = await lockSelected(transaction, selected)
  const discarded = idsOf(locked.filter(({ state }) => state === 'dead' || !hasEnded(state)))
  if (discarded.length === 0) return []
  await lockOrderKeysOf(transaction, discarded)
  await transaction.run(insertDiscardedAttempts, discarded, reason)
  await transaction.run(discardTasks, discarded)
  await transaction.run(discardDeliveries, discarded, reason)
  await forgetMatchAttempts(transaction, discarded)
  await promoteNext(transaction, discarded)
  for (const id of discarded) transaction.changed.add(id)
  return discarded
}

/** Keeps workers from claiming tasks of a handler; `*` stands for all handlers. */
export async function pause(transaction: Transaction, handler: string, entry?: NewAuditEntry): Promise<void> {
  const count = await transaction.run('insert into pauses (handler) values ($1) on conflict do nothing', handler)
  await recordChange(transaction, entry, { count })
}

export async function resume(transaction: Transaction, handler: string, entry?: NewAuditEntry): Promise<void> {
  transaction.due = true
  const count = await transaction.run('delete from pauses where handler = $1', handler)
  await recordChange(transaction, entry, { count })
}

const selectForUpdate = `
  select id, matched from deliveries
  where id = any($1::bigint[])
  order by id
  for update`

const selectSucceeded = `
  select distinct delivery_id as id from tasks where delivery_id = any($1::bigint[]) and state = 'done'`

const restartTasks = `
  update tasks set state = 'pending', next_at = null, delay = null, attempts_used = 0, uncounted = 0
  where delivery_id = any($1::bigint[]) and state in ('retrying', 'dead', 'discarded')
  returning delivery_id as id, handler, order_hash`

const restartTasksOfHandler = `
  update tasks set state = 'pending', next_at = null, delay = null, attempts_used = 0, uncounted = 0
  where delivery_id = any($1::bigint[]) and handler = $2 and state = any($3::text[])
  returning delivery_id as id, handler, order_hash`

const clearReasons = 'update deliveries set reason = null where id = any($1::bigint[]) and reason is not null'

const insertDiscardedAttempts = `
  insert into attempts (delivery_id, handler, number, started_at, outcome, error)
  select delivery_id, handler, attempt, started_at, 'discarded', $2
  from tasks
  where delivery_id = any($1::bigint[]) and state = 'running'`

const discardTasks = `
  update tasks
  set state = 'discarded', next_at = null, delay = null, claimed_ahead = false, worker = null, started_at = null,
      failure_group = null, failed_at = null
  where delivery_id = any($1::bigint[]) and state not in ('done', 'gone')`

const discardDeliveries = `
  update deliveries
  set state = 'discarded', matched = true, rerun = false, next_at = null, reason = $2
  where id = any($1::bigint[])`

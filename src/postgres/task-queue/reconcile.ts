/** Repairs states that no event would repair: blocked queues, wrong clocks. */
import { clockTolerance } from '../../inbox/processes.ts'
import { idsOf } from '../connection/connection.ts'
import type { Transaction } from '../connection/database.ts'
import { makeReady } from './fairness.ts'
import { lockOrderKeysOf, promoteNext, runningQueues } from './order.ts'
import { lockDeliveries, updateDeliveryStates } from './tasks.ts'

/** Maximum blocked or skewed tasks that one transaction selects. */
const maxRepaired = 1000

/**
 * Makes the first task of each idle queue due, if it is blocked. A task can stay blocked if it is added to a queue
 * while another transaction promotes the first task of the queue.
 */
export async function unblockFirstTasks(transaction: Transaction): Promise<void> {
  const blocked = await transaction.all<{ id: number }>(selectBlocked, maxRepaired)
  if (blocked.length === 0) return
  const ids = await lockDeliveries(transaction, idsOf(blocked))
  await lockOrderKeysOf(transaction, ids)
  await promoteNext(transaction, ids)
}

/**
 * Corrects the times that a wrong clock has set: makes a retrying task ready if it would wait for longer than its delay.
 * Its time is then 0, which is due for every worker, also for one whose clock is behind that of the database.
 */
export async function correctClockSkew(transaction: Transaction, now: number): Promise<void> {
  const skewed = await transaction.all<{ id: number; handler: string }>(selectSkewed, now + clockTolerance, maxRepaired)
  if (skewed.length === 0) return
  const ids = await lockDeliveries(transaction, idsOf(skewed))
  const handlers = skewed.map(({ handler }) => handler)
  await transaction.run(makeReady, idsOf(skewed), handlers)
  transaction.due = true
  await updateDeliveryStates(transaction, ids)
}

const isOrdered = `order_hash is not null and state in ('pending', 'running', 'retrying')`

/** Finds the first task of each queue by one index seek, because a queue may be very long. */
const selectBlocked = `
  with recursive ${runningQueues}, firsts as (
    (select order_hash, delivery_id, state, next_at from tasks where ${isOrdered} order by order_hash, delivery_id limit 1)
    union all
    select next.order_hash, next.delivery_id, next.state, next.next_at
    from firsts, lateral (
      select order_hash, delivery_id, state, next_at from tasks
      where ${isOrdered} and order_hash > firsts.order_hash
      order by order_hash, delivery_id
      limit 1) as next
  )
  select delivery_id as id from firsts
  where state = 'pending' and next_at is null
    and order_hash not in (select order_hash from running)
  limit $1`

const selectSkewed = `
  select delivery_id as id, handler from tasks
  where state = 'retrying' and next_at > $1 and next_at - delay > $1
  limit $2`

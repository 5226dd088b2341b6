/** Ends due tasks whose handler no worker registers. */
import type { GoneTasks, HandlerPolicy } from '../../inbox/task-queue.ts'
import { countByHandler, goneBatch, goneReason, seenPrecision, seenShift } from '../../inbox/unhandled-tasks.ts'
import { idsOf } from '../connection/connection.ts'
import type { Transaction } from '../connection/database.ts'
import { lockOrderKeysOf, promoteNext } from './order.ts'
import { lockDeliveries, scheduledHandlers, updateDeliveryStates } from './tasks.ts'

/**
 * Records which handlers are registered now, and ends due tasks as `gone` if no worker has registered their handler
 * for `vanishAfter` milliseconds, without the time in which there was no worker at all. With a task that has an order
 * key, also ends the tasks that wait for it. Does nothing while no worker has a handler.
 * @returns the tasks that have ended. There may be more, see `mayHaveMore`.
 */
export async function endUnhandledTasks(
  transaction: Transaction,
  vanishAfter: number,
  now: number,
): Promise<GoneTasks[]> {
  const workers = await transaction.all<{ handlers: HandlerPolicy[] }>('select handlers from workers')
  const registered = [...new Set(workers.flatMap(({ handlers }) => handlers.map(({ name }) => name)))]
  if (registered.length === 0) return []
  await recordHandlersSeen(transaction, registered, now, seenPrecision)
  await transaction.run(recordHandlerFirstSeen, registered, now)
  const seenBefore = now - vanishAfter
  const unhandled = await transaction.all<{ id: number }>(selectUnhandled, registered, now, seenBefore, goneBatch)
  if (unhandled.length === 0) return []
  const ids = await lockDeliveries(transaction, idsOf(unhandled))
  await lockOrderKeysOf(transaction, ids)
  const gone = await transaction.all<GoneTask>(markUnhandledGone, registered, now, seenBefore, ids)
  await transaction.run(
    setReasons,
    idsOf(gone),
    gone.map(({ handler }) => goneReason(handler)),
  )
  await promoteNext(transaction, ids)
  await updateDeliveryStates(transaction, ids)
  return countByHandler(gone)
}

/**
 * Records that a worker has these handlers, or had them until now. First moves all recorded times by the time in which
 * there was no worker: a newer time would hide it from the next check. The time at which a worker is removed is exact,
 * because `vanishAfter` counts from then on. The check records coarser times, and may not have found a worker that ran
 * only briefly.
 * @param now By the clock of the database.
 * @param precision Milliseconds. A recorded time that is not older than this stays.
 */
export async function recordHandlersSeen(
  transaction: Transaction,
  handlers: readonly string[],
  now: number,
  precision = 0,
): Promise<void> {
  if (handlers.length === 0) return
  await transaction.run(lockHandlers) // two processes must not both move the times
  const newest = await transaction.get<{ seen_at: number | null }>(selectNewestSeen)
  const shift = seenShift(newest?.seen_at ?? null, now)
  if (shift !== 0) await transaction.run(shiftSeen, shift)
  await transaction.run(recordHandlerSeen, handlers, now, now - precision)
}

interface GoneTask {
  id: number
  handler: string
}

const lockHandlers = 'lock table handlers in share row exclusive mode'

const selectNewestSeen = 'select max(seen_at) as seen_at from handlers'

const shiftSeen = 'update handlers set seen_at = seen_at + $1'

const recordHandlerSeen = `
  insert into handlers (name, seen_at) select name, $2 from unnest($1::text[]) as name
  on conflict (name) do update set seen_at = excluded.seen_at where handlers.seen_at < $3`

/**
 * Records the current time for each handler of due and retrying tasks, if no worker has registered the handler and it
 * has no recorded time.
 */
const recordHandlerFirstSeen = `
  with recursive ${scheduledHandlers}
  insert into handlers (name, seen_at)
  select handler, $2 from scheduled where not (handler = any($1::text[]))
  on conflict (name) do nothing`

const isUnhandled = `
  not (handler = any($1::text[])) and handler in (select name from handlers where seen_at <= $3)`

/** A task that waits for another task with its order key has no `next_at`. */
const isDue = `state in ('pending', 'running', 'retrying') and state <> 'running' and coalesce(next_at, start_at, 0) <= $2`

/** Finds the due tasks, and the tasks that wait for them, each queue by one index seek. */
const selectUnhandled = `
  with due as materialized (
    select delivery_id, order_hash from tasks where next_at <= $2 and ${isUnhandled} limit $4
  )
  select delivery_id as id from due where order_hash is null
  union
  select queued.delivery_id
  from (select distinct order_hash from due where order_hash is not null) as queues, lateral (
    select delivery_id from tasks
    where tasks.order_hash = queues.order_hash and ${isDue}
    order by delivery_id
    limit $4) as queued
  limit $4`

const markUnhandledGone = `
  update tasks set state = 'gone', next_at = null, delay = null, failure_group = null, failed_at = null
  where ${isDue} and ${isUnhandled} and delivery_id = any($4::bigint[])
  returning delivery_id as id, handler`

const setReasons = `
  update deliveries set reason = input.reason
  from unnest($1::bigint[], $2::text[]) as input (id, reason)
  where deliveries.id = input.id`

/** Ends due tasks whose handler no worker registers. */
import type { GoneTasks } from '../../inbox/task-queue.ts'
import { goneBatch, goneReason, seenPrecision, seenShift } from '../../inbox/unhandled-tasks.ts'
import type { Connection } from '../connection/connection.ts'
import { promoteNext } from './order.ts'
import { markGone, scheduledHandlers, updateDeliveryState } from './tasks.ts'
import { workers } from './workers.ts'

interface UnhandledTask {
  delivery_id: number
  order_key: string | null
}

/**
 * Records which handlers are registered now, and ends due tasks as `gone` if no worker has registered their handler
 * for `vanishAfter` milliseconds, without the time in which there was no worker at all. With a task that has an order
 * key, also ends the tasks that wait for it. Does nothing while no worker has a handler.
 * @returns the tasks that have ended. There may be more, see `mayHaveMore`.
 */
export function endUnhandledTasks(connection: Connection, vanishAfter: number, now: number): GoneTasks[] {
  const registered = new Set(workers(connection).flatMap(({ handlers }) => handlers.map(({ name }) => name)))
  if (registered.size === 0) return []
  recordHandlersSeen(connection, [...registered], now, seenPrecision)
  const gone: GoneTasks[] = []
  for (const handler of scheduledHandlers(connection)) {
    if (registered.has(handler)) continue
    connection.run(recordHandlerFirstSeen, handler, now)
    const seen = connection.get<{ seen_at: number }>('select seen_at from handlers where name = ?', handler)
    if (!seen || seen.seen_at > now - vanishAfter) continue
    const count = endTasks(connection, handler, now)
    if (count > 0) gone.push({ handler, count })
  }
  return gone
}

/**
 * Records that a worker has these handlers, or had them until now. First moves all recorded times by the time in which
 * there was no worker: a newer time would hide it from the next check. The time at which a worker is removed is exact,
 * because `vanishAfter` counts from then on. The check records coarser times, and may not have found a worker that ran
 * only briefly.
 * @param precision Milliseconds. A recorded time that is not older than this stays.
 */
export function recordHandlersSeen(
  connection: Connection,
  handlers: readonly string[],
  now: number,
  precision = 0,
): void {
  if (handlers.length === 0) return
  const newest = connection.get<{ seen_at: number | null }>(selectNewestSeen)?.seen_at ?? null
  const shift = seenShift(newest, now)
  if (shift !== 0) connection.run(shiftSeen, shift)
  connection.run(recordHandlerSeen, now, JSON.stringify(handlers), now - precision)
}

/** @returns the number of tasks that have ended. */
function endTasks(connection: Connection, handler: string, now: number): number {
  let left = goneBatch
  const reason = goneReason(handler)
  const end = ({ delivery_id: id }: UnhandledTask): void => {
    markGone(connection, id, handler)
    connection.run(setReason, reason, id)
    updateDeliveryState(connection, id)
    left--
  }
  for (const task of connection.all<UnhandledTask>(selectDue, handler, now, goneBatch)) {
    if (left === 0) break
    const { order_key: key } = task
    if (key === null) end(task)
    else {
      for (const queued of connection.all<UnhandledTask>(selectQueue, handler, key, now, left)) end(queued)
      promoteNext(connection, handler, key)
    }
  }
  return goneBatch - left
}

const setReason = 'update deliveries set reason = ? where id = ?'

const selectNewestSeen = 'select max(seen_at) as seen_at from handlers'

const shiftSeen = 'update handlers set seen_at = seen_at + ?'

/** SQLite needs the condition, because it would take `on conflict` for the condition of a join. */
const recordHandlerSeen = `
  insert into handlers (name, seen_at) select value, ? from json_each(?) where true
  on conflict (name) do update set seen_at = excluded.seen_at where seen_at < ?`

const recordHandlerFirstSeen = 'insert or ignore into handlers (name, seen_at) values (?, ?)'

const selectDue = `
  select delivery_id, order_key from tasks where next_at is not null and handler = ? and next_at <= ? limit ?`

/** The first condition on `state` lets SQLite use the index `tasks_order`. */
const selectQueue = `
  select delivery_id, order_key from tasks
  where handler = ? and order_key = ? and state in ('pending', 'running', 'retrying') and state <> 'running'
    and coalesce(next_at, start_at, 0) <= ?
  order by delivery_id
  limit ?`

import type { ClaimedTask } from '../inbox/inbox.ts'
import type { Connection } from './connection.ts'
import { pausedHandlers } from './match.ts'
import { claimTask, updateDeliveryState } from './tasks.ts'

/**
 * Claims due tasks, in the transaction of the caller: for each handler as many as are wanted, until the bodies have more
 * than `bytes`. The first task is claimed whatever its size.
 */
export function claim(
  connection: Connection,
  worker: number,
  wanted: Readonly<Record<string, number>>,
  bytes: number,
  now: number,
  largest: number = Number.POSITIVE_INFINITY,
): ClaimedTask[] {
  const paused = pausedHandlers(connection)
  if (paused.has('*')) return []
  const claimed: ClaimedTask[] = []
  const examined = new Set<number>()
  let left = bytes
  for (const [handler, limit] of Object.entries(wanted)) {
    if (limit < 1 || paused.has(handler)) continue
    for (const due of connection.all<FoundTask>(selectDue, handler, now, largest, limit)) {
      if (due.size > left && claimed.length > 0) break
      const task = claimTask(connection, worker, due.delivery_id, handler, now)
      examined.add(due.delivery_id)
      if (!task) continue
      left -= due.size
      claimed.push({ ...task, replayed: due.replayed === 1 })
    }
  }
  for (const id of examined) updateDeliveryState(connection, id)
  return claimed
}

type FoundTask = Record<'delivery_id' | 'size' | 'replayed', number>

/** In the order in which they became due. New tasks are due since 0, so they come oldest delivery first. */
const selectDue = `
  select delivery_id, size, replayed
  from tasks join deliveries on deliveries.id = delivery_id
  where handler = ? and tasks.next_at <= ? and size <= ?
  order by tasks.next_at, delivery_id
  limit ?`

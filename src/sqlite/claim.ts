import type { ClaimedTask, ClaimRequest } from '../inbox/task-queue.ts'
import type { Connection } from './connection.ts'
import { pausedHandlers } from './match.ts'
import { claimTask, updateDeliveryState } from './tasks.ts'

/** Claims due tasks, in the transaction of the caller. */
export function claim(
  connection: Connection,
  worker: number,
  { wanted, bytes, largest = Number.POSITIVE_INFINITY, now }: ClaimRequest,
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

/** Tasks in the order of `next_at`. New tasks have 0, so they come first, in order of receipt. */
const selectDue = `
  select delivery_id, size, replayed
  from tasks join deliveries on deliveries.id = delivery_id
  where handler = ? and tasks.next_at <= ? and size <= ?
  order by tasks.next_at, delivery_id
  limit ?`

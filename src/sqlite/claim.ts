import type { ClaimedTask } from '../inbox/inbox.ts'
import type { Connection } from './connection.ts'
import { pausedHandlers } from './match.ts'
import { claimTask, updateDeliveryState } from './tasks.ts'

interface Due {
  delivery_id: number
  size: number
  replayed: number
}

/** Begins tasks that are due, in the transaction of the caller. */
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
  const touched = new Set<number>()
  let left = bytes
  for (const [handler, limit] of Object.entries(wanted)) {
    if (limit < 1 || paused.has(handler)) continue
    for (const due of connection.all<Due>(selectDue, handler, now, largest, limit)) {
      if (due.size > left && claimed.length > 0) break
      const one = claimTask(connection, worker, due.delivery_id, handler, now)
      touched.add(due.delivery_id)
      if (!one) continue
      left -= due.size
      claimed.push({ ...one, replayed: due.replayed === 1 })
    }
  }
  for (const id of touched) updateDeliveryState(connection, id)
  return claimed
}

/** The oldest due first; what has not begun yet is due from the beginning of time, in order of receipt. */
const selectDue = `
  select delivery_id, size, replayed
  from tasks join deliveries on deliveries.id = delivery_id
  where handler = ? and tasks.next_at <= ? and size <= ?
  order by tasks.next_at, delivery_id
  limit ?`

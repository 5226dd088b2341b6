import { allHandlers, isPaused } from '../../inbox/pauses.ts'
import { type ClaimedTask, type ClaimRequest, fromRandom, maxSuspects, moreScheduled } from '../../inbox/task-queue.ts'
import type { Connection } from '../connection/connection.ts'
import { hasSource, sourcesParameter } from '../delivery-reader/conditions.ts'
import { nextPassOfTask } from './fairness.ts'
import { pausedHandlers } from './match.ts'
import { claimTask, isSuspect, scheduledHandlers, updateDeliveryState } from './tasks.ts'

/** Claims due tasks, in the transaction of the caller. */
export function claim(connection: Connection, worker: number, request: ClaimRequest): ClaimedTask[] {
  const { bytes, largest = Number.POSITIVE_INFINITY, suspect, sources, now } = request
  const paused = pausedHandlers(connection)
  if (paused.has(allHandlers)) return []
  // Maps, because a stored name may be that of a member of `Object.prototype`.
  const [wanted, ahead] = [new Map(Object.entries(request.wanted)), new Map(Object.entries(request.ahead ?? {}))]
  const claimed: ClaimedTask[] = []
  const examined = new Set<number>()
  let left = bytes
  let suspectsLeft = maxSuspects(suspect)
  for (const handler of fromRandom([...scheduledHandlers(connection)])) {
    const limit = wanted.get(handler) ?? 0
    if (limit < 1 || paused.has(handler)) continue
    let free = limit - (ahead.get(handler) ?? 0)
    const { found, madeReady } = findDue(connection, { handler, limit, suspects: suspectsLeft, sources, now, largest })
    for (const id of madeReady) examined.add(id)
    for (const due of found) {
      if (due.size > left && claimed.length > 0) break
      const options = { ahead: free < 1 && due.suspect === 0 }
      const task = claimTask(connection, worker, due.delivery_id, handler, now, options)
      examined.add(due.delivery_id)
      if (!task) continue
      free--
      left -= due.size
      suspectsLeft -= due.suspect
      claimed.push({ ...task, replayed: due.replayed === 1, ...(due.suspect === 1 && { suspect: true }) })
    }
  }
  for (const id of examined) updateDeliveryState(connection, id)
  return claimed
}

/** The handlers that have due tasks and are not paused. */
export function dueHandlers(connection: Connection, now: number, sources?: readonly string[]): string[] {
  const paused = pausedHandlers(connection)
  return [...scheduledHandlers(connection)].filter((handler) => {
    return !isPaused(paused, handler) && (firstDueAt(connection, handler, sources) ?? now + 1) <= now
  })
}

const firstDueAt = (connection: Connection, handler: string, sources?: readonly string[]): number | undefined =>
  connection.get<{ next_at: number }>(selectFirstDue(sources), handler, ...sourcesParameter(sources))?.next_at

/** The earliest time at which a task of these handlers is due. 0 if a delivery is unmatched. */
export function nextDueAt(
  connection: Connection,
  handlers: readonly string[],
  sources?: readonly string[],
): number | undefined {
  const oldest = connection.get<{ id: number | null }>(selectOldestUnmatched(sources), ...sourcesParameter(sources))
  if (oldest?.id) return 0
  const paused = pausedHandlers(connection)
  const wanted = new Set(handlers)
  let first: number | undefined
  for (const handler of scheduledHandlers(connection)) {
    if (!wanted.has(handler) || isPaused(paused, handler)) continue
    const next = firstDueAt(connection, handler, sources)
    if (next !== undefined) first = Math.min(first ?? next, next)
  }
  return first
}

type FoundTask = Record<'delivery_id' | 'pass' | 'size' | 'replayed' | 'suspect', number>

interface Search extends Pick<ClaimRequest, 'sources' | 'now'> {
  handler: string
  limit: number
  /** The maximum bytes of a body. */
  largest: number
  /** The maximum number of suspects. */
  suspects: number
}

/**
 * Finds due tasks of a handler, in the order of their passes. If there are too many suspects, finds other tasks instead.
 * If more tasks are due than are wanted, those that waited for their time become ready, so that they get a pass.
 * @returns the tasks, and the ids of the deliveries whose tasks became ready.
 */
function findDue(
  connection: Connection,
  { handler, limit, suspects, sources, now, largest }: Search,
): { found: FoundTask[]; madeReady: number[] } {
  const madeReady: number[] = []
  const find = (maxSuspect: number, max: number): FoundTask[] => {
    const conditions = [largest, ...sourcesParameter(sources), maxSuspect]
    const ready = connection.all<FoundTask>(selectReady(sources), handler, ...conditions, max)
    const more = [now, ...conditions, max + moreScheduled]
    const scheduled = connection.all<FoundTask>(selectScheduled(sources), handler, ...more)
    if (ready.length + scheduled.length > max) {
      for (const task of scheduled) makeReady(connection, handler, task)
      madeReady.push(...scheduled.map(({ delivery_id }) => delivery_id))
    }
    return [...ready, ...scheduled].sort((a, b) => a.pass - b.pass || a.delivery_id - b.delivery_id).slice(0, max)
  }
  if (suspects < 1) return { found: find(0, limit), madeReady }
  const found = find(1, limit)
  const suspected = found.filter((task) => task.suspect === 1)
  if (suspected.length <= suspects) return { found, madeReady }
  return { found: [...suspected.slice(0, suspects), ...find(0, limit - suspects)], madeReady }
}

/** Makes a task ready whose time has come. */
function makeReady(connection: Connection, handler: string, task: FoundTask): void {
  const ready = connection.get<Pick<FoundTask, 'pass'>>(updateReady, task.delivery_id, handler)
  if (ready) task.pass = ready.pass
}

const selectOldestUnmatched = (sources?: readonly string[]): string =>
  `select min(id) as id from deliveries where matched = 0${hasSource(sources)}`

/** Reads deliveries only if it needs their sources. */
const selectFirstDue = (sources?: readonly string[]): string => `
  select tasks.next_at from tasks ${sources ? 'join deliveries on deliveries.id = delivery_id' : ''}
  where handler = ? and tasks.next_at is not null${hasSource(sources)}
  order by tasks.next_at
  limit 1`

/** @param times A condition for `next_at`. */
const selectDue = (times: string, order: string, sources?: readonly string[]): string => `
  select delivery_id, pass, size, replayed, suspect
  from (
    select delivery_id, pass, size, replayed, tasks.next_at,
      ${isSuspect} as suspect
    from tasks join deliveries on deliveries.id = delivery_id
    where handler = ? and tasks.next_at ${times} and size <= ?${hasSource(sources)}
  )
  where suspect <= ?
  order by ${order}
  limit ?`

/**
 * Ready tasks, and tasks whose time has come: retries, and tasks of handlers with a delay. They are found separately: in
 * the order of `next_at`, no retry would start as long as there are enough ready tasks.
 */
const selectReady = (sources?: readonly string[]) => selectDue('= 0', 'pass, delivery_id', sources)
const selectScheduled = (sources?: readonly string[]) =>
  selectDue('between 1 and ?', 'next_at, pass, delivery_id', sources)

const updateReady = `
  update tasks set next_at = 0, delay = null, pass = ${nextPassOfTask} where delivery_id = ? and handler = ? returning pass`

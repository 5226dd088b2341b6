/** The model of `TaskQueue`: claims and results of tasks. */

import { isPaused } from '../../../src/inbox/pauses.ts'
import { hasEnded, transitionOf } from '../../../src/inbox/states.ts'
import {
  type AttemptResult,
  type ClaimedTask,
  type ClaimRequest,
  type DeliveryStatus,
  fromRandom,
  maxSuspects,
} from '../../../src/inbox/task-queue.ts'
import { type ModelData, type ModelDelivery, type ModelTask, wasCutOffTwice } from './data.ts'
import { checkRegistered } from './leases.ts'
import { isFrom } from './match.ts'

export function claim(data: ModelData, worker: number, request: ClaimRequest): ClaimedTask[] {
  checkRegistered(data, worker)
  const claimed: ClaimedTask[] = []
  if (data.pauses.has('*')) return claimed
  let left = request.bytes
  let suspectsLeft = maxSuspects(request.suspect)
  for (const [handler, limit] of fromRandom(Object.entries(request.wanted))) {
    if (data.pauses.has(handler)) continue
    let handlerLeft = limit
    for (const task of dueTasks(data, handler, request)) {
      const isSuspect = Number(wasCutOffTwice(task))
      if (handlerLeft < 1) break
      if (isSuspect > suspectsLeft) continue
      const { length } = task.delivery.content.body
      if (length > left && claimed.length > 0) break
      handlerLeft--
      const ahead = handlerLeft < (request.ahead?.[handler] ?? 0) && isSuspect === 0
      const started = start(data, worker, task, request.now, { ahead })
      if (!started) continue
      left -= length
      suspectsLeft -= isSuspect
      claimed.push({ ...started, ...(isSuspect && { suspect: true }) })
    }
  }
  return claimed
}

/** When the first task of these handlers is due. 0: a delivery is unmatched. */
export function nextDueAt(
  data: ModelData,
  handlers: readonly string[],
  sources?: readonly string[],
): number | undefined {
  if ([...data.deliveries.values()].some((one) => !one.isMatched && isFrom(one, sources))) return 0
  const times = [...data.unfinishedTasks()].flatMap(({ delivery, handler, nextAt }) => {
    const isWanted = handlers.includes(handler) && isFrom(delivery, sources) && !isPaused(data.pauses, handler)
    return nextAt !== undefined && isWanted ? [nextAt] : []
  })
  return times.length > 0 ? Math.min(...times) : undefined
}

/** Tasks that may be claimed, in the order of their passes. */
function dueTasks(data: ModelData, handler: string, { now, largest, wanted, sources }: ClaimRequest): ModelTask[] {
  const due: ModelTask[] = []
  for (const delivery of data.deliveries.values()) {
    const { tasks, content } = delivery
    const task = tasks.get(handler)
    if (!isFrom(delivery, sources)) continue
    if (task?.nextAt === undefined || task.nextAt > now || content.body.length > (largest ?? Infinity)) continue
    due.push(task)
  }
  if (due.length > (wanted[handler] ?? 0)) for (const task of due) if (task.nextAt !== 0) data.makeReady(task)
  return due.sort((a, b) => a.pass - b.pass || a.delivery.id - b.delivery.id)
}

/** Starts an attempt of a due task. If the order key does not allow that, blocks the task instead. */
function start(
  data: ModelData,
  worker: number,
  task: ModelTask,
  now: number,
  { ahead = false, claimedAfter }: { ahead?: boolean | undefined; claimedAfter?: ModelTask['claimedAfter'] },
): ClaimedTask | undefined {
  const { delivery, handler } = task
  const isBlocked = data.blockUnlessFirst(task)
  if (!isBlocked) {
    Object.assign(task, { state: 'running', nextAt: undefined, delay: undefined, worker, startedAt: now, claimedAfter })
    task.attempt++
    task.claimedAhead = ahead
    task.attemptsUsed++
  }
  data.updateState(delivery)
  return isBlocked ? undefined : toClaimed(task, handler)
}

const toClaimed = ({ delivery, key, attempt, attemptsUsed, uncounted }: ModelTask, handler: string): ClaimedTask => ({
  ...{ id: delivery.id, handler, attempt, attemptsUsed, replayed: delivery.replayed },
  ...(key !== undefined && { ordered: true }),
  ...(uncounted > 0 && { uncounted }),
})

/** Records results, and claims the next tasks. @returns the states of the deliveries. */
export function finishAll(data: ModelData, worker: number, results: readonly AttemptResult[]): DeliveryStatus[] {
  const deliveries = new Set<ModelDelivery>()
  const recorded = new Set<number>()
  const next = new Map<number, ClaimedTask>()
  for (const result of results) {
    const delivery = data.deliveries.get(result.id)
    if (!delivery) continue
    const isRecorded = finish(data, worker, result)
    const claimed = claimNext(data, worker, result, isRecorded)
    if (claimed) next.set(result.id, claimed)
    if (isRecorded) recorded.add(result.id)
    if (isRecorded || claimed) deliveries.add(delivery)
  }
  return [...deliveries].map((delivery): DeliveryStatus => {
    const { id } = delivery
    const state = data.updateState(delivery)
    const endedByOther = !recorded.has(id) && hasEnded(state)
    return { id, state, ...(endedByOther && { endedByOther }), ...(next.has(id) && { next: next.get(id) }) }
  })
}

/** @returns false if the worker does not hold the lease of the attempt. */
export function finish(data: ModelData, worker: number, result: AttemptResult): boolean {
  const { id, handler, attempt, startedAt, duration, outcome, error, result: returned, log } = result
  const task = data.deliveries.get(id)?.tasks.get(handler)
  if (task?.state !== 'running' || task.attempt !== attempt || task.worker !== worker) return false
  const { attemptsUsedChange, ...transition } = transitionOf(result)
  Object.assign(task, { nextAt: undefined, delay: undefined, pass: 0, ...transition })
  Object.assign(task, { worker: undefined, startedAt: undefined })
  task.attemptsUsed += attemptsUsedChange
  task.claimedAhead = false
  task.attempts.push({ number: attempt, startedAt, duration, outcome, error, result: returned, log })
  data.changed(task.delivery)
  data.promoteNext(handler, task.key)
  return true
}

/** Claims the next task with the same order key, if the result has `nextBytes`. */
function claimNext(
  data: ModelData,
  worker: number,
  { id, handler, attempt, nextBytes, nextSources, nextAhead, startedAt, duration }: AttemptResult,
  isRecorded: boolean,
): ClaimedTask | undefined {
  const key = data.deliveries.get(id)?.tasks.get(handler)?.key
  if (nextBytes === undefined || key === undefined) return undefined
  const now = startedAt + duration
  if (!isRecorded) {
    // An earlier call with the same result has claimed it, and the answer was lost.
    const isClaimed = ({ claimedAfter, ...task }: ModelTask) => {
      return task.worker === worker && claimedAfter?.id === id && claimedAfter.attempt === attempt
    }
    const next = [...data.unfinished(handler, key)].find(isClaimed)
    return next && toClaimed(next, handler)
  }
  const first = data.unfinished(handler, key).next().value
  if (!first || first.delivery.id === id) return undefined
  const isDue =
    first.state === 'pending' &&
    first.nextAt !== undefined &&
    first.nextAt <= now &&
    first.attempt < 2 && // it may be a suspect
    first.delivery.content.body.length <= nextBytes
  return isDue && isFrom(first.delivery, nextSources) && !isPaused(data.pauses, handler)
    ? start(data, worker, first, now, { ahead: nextAhead, claimedAfter: { id, attempt } })
    : undefined
}

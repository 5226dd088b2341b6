/** The model of `TaskQueue.match`, in two steps: the store offers deliveries, then it records their matches. */
import { lacksHandlers, matchTasks, type NewTask, withOtherPrograms } from '../../../src/inbox/match-tasks.ts'
import type { ClaimedTask, Match, MatchOffer, MatchResult, StoredDelivery } from '../../../src/inbox/task-queue.ts'
import { countByHandler } from '../../../src/inbox/unhandled-tasks.ts'
import { type ModelData, type ModelDelivery, wasCutOffTwice } from './data.ts'
import { checkRegistered } from './leases.ts'

/** The oldest unmatched deliveries. */
export function offer(
  data: ModelData,
  { limit, bytes, sources }: Pick<MatchOffer, 'limit' | 'bytes' | 'sources'>,
): StoredDelivery[] {
  const offered: StoredDelivery[] = []
  let left = bytes
  for (const delivery of data.deliveries.values()) {
    if (delivery.isMatched || !isFrom(delivery, sources)) continue
    const { length } = delivery.content.body
    if (offered.length === limit || (length > left && offered.length > 0)) break
    left -= length
    offered.push(toStoredDelivery(delivery))
  }
  return offered
}

export function toStoredDelivery({ id, content, duplicates, variant, replayed }: ModelDelivery): StoredDelivery {
  const { editedFrom: _editedFrom, algorithm: _algorithm, address: _address, ...stored } = content
  const conflict = variant > 0
  return { ...stored, id, pulled: content.pulled ?? false, redelivered: duplicates > 0, conflict, replayed }
}

/** Records matches in order of receipt. */
export function recordMatches(
  data: ModelData,
  worker: number,
  matches: readonly Match[],
  { now, sources }: Pick<MatchOffer, 'now' | 'sources'>,
): MatchResult {
  checkRegistered(data, worker)
  const result = {
    matched: 0,
    claimed: [] as ClaimedTask[],
    invalid: [] as number[],
    gone: [] as { handler: string }[],
  }
  for (const own of matches.toSorted((a, b) => a.id - b.id)) {
    const delivery = data.deliveries.get(own.id)
    if (!delivery || delivery.isMatched) continue
    const existing = existingTasks(delivery)
    const match = lacksHandlers(own, existing)
      ? withOtherPrograms(own, existing, worker, [...data.workers.values()])
      : own
    const isOrdered = match.tasks.some(({ key }) => key !== undefined)
    if (isOrdered && hasEarlier(data, match.id, sources)) continue // an earlier delivery must be matched first
    const { claimed, gone } = recordMatch(data, delivery, match, worker, now)
    result.claimed.push(...claimed)
    result.gone.push(...gone)
    if (match.invalid !== undefined) result.invalid.push(match.id)
    result.matched++
  }
  const { invalid, gone, ...rest } = result
  return { ...rest, ...(invalid.length > 0 && { invalid }), ...(gone.length > 0 && { gone: countByHandler(gone) }) }
}

/** The tasks that an earlier match has created. */
const existingTasks = ({ wasMatched, tasks }: ModelDelivery) =>
  wasMatched ? [...tasks.values()].map((task) => ({ task, ...task, suspect: wasCutOffTwice(task) })) : []

/** Whether a delivery before this one is unmatched. */
const hasEarlier = ({ deliveries }: ModelData, before: number, sources?: readonly string[]): boolean =>
  [...deliveries.values()].some((one) => one.id < before && !one.isMatched && isFrom(one, sources))

/** Whether a delivery came from one of these mounts. */
export const isFrom = ({ content }: ModelDelivery, sources?: readonly string[]): boolean =>
  sources?.includes(content.source) ?? true

/** @returns the tasks that the worker has claimed, and those that have ended as `gone`. */
function recordMatch(data: ModelData, delivery: ModelDelivery, match: Match, worker: number, now: number) {
  const { id, rerun } = delivery
  const replayed = isReplay(data, delivery)
  const existing = existingTasks(delivery)
  const decision = matchTasks({
    ...{ match, existing, rerun, replayed, paused: data.pauses, now },
    isFirst: ({ handler, key }) => data.mayBegin(id, handler, key),
  })
  const claimed = decision.tasks.flatMap((task): ClaimedTask[] => {
    const attempt = startTask(data, delivery, task, worker, now)
    const { handler, key, start } = task
    return start === 'running'
      ? [{ id, handler, attempt, attemptsUsed: 1, replayed, ...(key !== undefined && { ordered: true }) }]
      : []
  })
  for (const { task } of decision.gone) {
    Object.assign(task, { state: 'gone', nextAt: undefined, delay: undefined })
    data.promoteNext(task.handler, task.key)
  }
  const { state, reason } = decision
  Object.assign(delivery, {
    isMatched: true,
    wasMatched: true,
    rerun: false,
    state,
    reason,
    replayed,
    matchAttempts: 0,
  })
  delivery.summary = match.summary
  data.changed(delivery)
  return { claimed, gone: decision.gone }
}

/** @returns the number of the latest attempt. */
function startTask(
  data: ModelData,
  delivery: ModelDelivery,
  { handler, key, fairKey, start, startAt, ahead = false }: NewTask,
  worker: number,
  now: number,
): number {
  const isRunning = start === 'running'
  const claimedAhead = isRunning && ahead
  const before = delivery.tasks.get(handler)
  const attempt = (before?.attempt ?? 0) + Number(isRunning)
  const pass = start === 'due' ? data.nextPass({ handler, fairKey, state: 'pending' }) : 0
  delivery.tasks.set(handler, {
    ...{ delivery, handler, key, fairKey, pass, attempt, attempts: before?.attempts ?? [] },
    ...{ attemptsUsed: Number(isRunning), claimedAhead, uncounted: 0 },
    ...{
      state: isRunning ? 'running' : 'pending',
      nextAt: start === 'due' ? (startAt ?? 0) : undefined,
      startAt,
      delay: undefined,
    },
    ...(isRunning ? { worker, startedAt: now } : { worker: undefined, startedAt: undefined }),
    claimedAfter: undefined,
  })
  return attempt
}

/** Whether the same bytes were matched before with another GUID or event. */
const isReplay = (data: ModelData, delivery: ModelDelivery): boolean => sameBodyAs(data, delivery) !== undefined

/** The id of the oldest delivery with the same body, and with another GUID or event. */
export function sameBodyAs({ deliveries }: ModelData, { id, sha256, content }: ModelDelivery): number | undefined {
  const found = [...deliveries.values()].find((one) => {
    if (one.id >= id || !one.wasMatched || one.sha256 !== sha256) return false
    return one.content.guid !== content.guid || one.content.event !== content.event
  })
  return found?.id
}

/**
 * Changes the state of tasks, in the transaction of the caller. `inbox/states.ts` describes the states. When an attempt
 * ends, the first task with the same order key becomes due, if that task is blocked.
 */

import { cutOffCounts } from '../../inbox/counts.ts'
import { durationClassOf } from '../../inbox/query/duration-class.ts'
import type { DeliveryState, TaskState } from '../../inbox/records.ts'
import { firstLine } from '../../inbox/rows.ts'
import { deliveryStateOf, hasEnded, nextAttemptOf, transitionOf } from '../../inbox/states.ts'
import { expiredLeaseFailure, failureOf, type TaskFailure } from '../../inbox/task-failure.ts'
import type { AttemptResult, ClaimedTask, DeliveryStatus } from '../../inbox/task-queue.ts'
import type { Connection } from '../connection/connection.ts'
import { addCounts } from '../metadata/statistics.ts'
import { hasTasks, saveFailureGroup } from './failure-groups.ts'
import { blockUnlessFirst, type FirstTask, firstWithKeyOf, promoteNext } from './order.ts'

/**
 * The handlers with tasks that are due now or later. A program may have thousands of handlers, and a handler very many
 * tasks, so this takes one seek in the index for each handler that has such tasks.
 */
export function* scheduledHandlers(connection: Connection): Generator<string> {
  const after = (handler: string) => connection.get<{ handler: string }>(selectNextScheduled, handler)
  for (let next = after(''); next; next = after(next.handler)) yield next.handler
}

/** How a task is claimed. */
interface ClaimOptions {
  /** Whether it is claimed ahead: if its lease expires, the attempt does not count against the limit. */
  ahead?: boolean | undefined
  /** The attempt whose result claims the task. */
  after?: Pick<AttemptResult, 'id' | 'attempt'>
}

/** Starts an attempt of a due task. If the order key does not allow the task to run yet, blocks the task instead. */
export function claimTask(
  connection: Connection,
  worker: number,
  id: number,
  handler: string,
  now: number,
  { ahead = false, after }: ClaimOptions = {},
): Omit<ClaimedTask, 'replayed'> | undefined {
  const task = connection.get<DueTask>(selectDue, id, handler)
  if (!task || blockUnlessFirst(connection, id, handler, task.order_key)) return undefined
  connection.run(startTask, Number(ahead), worker, now, after?.id ?? null, after?.attempt ?? null, id, handler)
  return {
    ...{ id, handler, attempt: task.attempt + 1, attemptsUsed: task.attempts_used + 1 },
    ...(task.uncounted > 0 && { uncounted: task.uncounted }),
    ...(task.order_key !== null && { ordered: true }),
  }
}

interface OrderedTask {
  order_key: string | null
}

interface DueTask extends OrderedTask {
  attempt: number
  attempts_used: number
  uncounted: number
}

/**
 * The texts of attempts for which there is room: their results, logs and errors.
 * - `all`: those of every attempt
 * - `latest`: those of the latest attempt of a task. Of an earlier attempt, only the first line of its error is kept.
 * - `none`: only the first line of each error
 */
export type AttemptTexts = 'all' | 'latest' | 'none'

/**
 * Records results, and claims the next tasks for the results that request one.
 * @returns the states of the deliveries, with the next tasks. A delivery is left out if all of its results were
 *   ignored.
 */
export function finishAll(
  connection: Connection,
  worker: number,
  results: readonly AttemptResult[],
  texts: AttemptTexts,
): DeliveryStatus[] {
  const ids = new Set<number>()
  const recorded = new Map<number, AttemptResult>()
  const claimed = new Map<number, ClaimedTask>()
  for (const result of results) {
    const kept = texts === 'none' ? withoutTexts(result) : result
    const isRecorded = finish(connection, worker, kept, failureOf(result))
    if (isRecorded && texts !== 'all') deleteEarlierTexts(connection, result)
    const next = claimNext(connection, worker, result, isRecorded)
    if (next) claimed.set(result.id, next)
    if (isRecorded) recorded.set(result.id, result)
    if (isRecorded || next) ids.add(result.id)
  }
  for (const { id } of claimed.values()) updateDeliveryState(connection, id)
  return [...ids].map((id) => {
    const next = claimed.get(id)
    const state = updateDeliveryState(connection, id, recorded.get(id))
    const endedByOther = !recorded.has(id) && hasEnded(state)
    return { id, state, ...(endedByOther && { endedByOther }), ...(next && { next }) }
  })
}

/** Records how an attempt ended. @returns false if the worker no longer holds the lease of the task. */
export function finish(
  connection: Connection,
  worker: number,
  result: AttemptResult,
  failure: TaskFailure | undefined = failureOf(result),
): boolean {
  const { id, handler, attempt } = result
  const { state, nextAt, delay, attemptsUsedChange } = transitionOf(result)
  const isNewGroup = failure !== undefined && !hasTasks(connection, failure)
  const isReleased = Number(state === 'pending')
  const task = connection.get<OrderedTask>(
    endLease,
    ...[state, nextAt ?? null, delay ?? null, attemptsUsedChange],
    ...[isReleased, failure?.id ?? null, isReleased, failure?.at ?? null],
    ...[id, handler, attempt, worker],
  )
  if (!task) return false
  if (isNewGroup) saveFailureGroup(connection, failure)
  insertAttempt(connection, result)
  promoteNext(connection, handler, task.order_key)
  return true
}

/** After an attempt has ended: claims the next task with the same order key, if the result has `nextBytes`. */
function claimNext(
  connection: Connection,
  worker: number,
  result: AttemptResult,
  isRecorded: boolean,
): ClaimedTask | undefined {
  const { id, handler, nextBytes, nextSources, nextAhead, startedAt, duration } = result
  if (nextBytes === undefined) return undefined
  if (!isRecorded) return claimedAfter(connection, worker, result)
  const now = startedAt + duration
  const first = firstWithKeyOf(connection, id, handler)
  if (!first || first.delivery_id === id || !isClaimable(first, nextBytes, now)) return undefined
  if (nextSources && !nextSources.includes(first.source)) return undefined
  const claimed = claimTask(connection, worker, first.delivery_id, handler, now, { ahead: nextAhead, after: result })
  return claimed && { ...claimed, replayed: first.replayed === 1 }
}

/**
 * The running task that an earlier call with the same result has claimed. A worker repeats a call if the answer is lost.
 */
function claimedAfter(
  connection: Connection,
  worker: number,
  { id, handler, attempt }: AttemptResult,
): ClaimedTask | undefined {
  const task = connection.get<Omit<ClaimedTask, 'handler' | 'replayed'> & Record<'uncounted' | 'replayed', number>>(
    selectClaimedAfter,
    handler,
    id,
    handler,
    worker,
    id,
    attempt,
  )
  if (!task) return undefined
  const { uncounted, replayed, ...claimed } = task
  return { ...claimed, handler, replayed: replayed === 1, ...(uncounted > 0 && { uncounted }), ordered: true }
}

/** Whether the next task may be claimed here. It must be no suspect: only `claim` limits their number. */
function isClaimable(first: FirstTask, maxBytes: number, now: number): boolean {
  const { state, next_at, attempt, size, paused } = first
  const isDue = state === 'pending' && next_at !== null && next_at <= now
  return isDue && attempt < 2 && size <= maxBytes && paused === 0
}

interface RunningTask extends OrderedTask {
  attempt: number
  started_at: number
  claimed_ahead: number
}

/**
 * Takes a running task from a dead worker. The attempt counts, unless the task was claimed ahead. The next attempt is due
 * after `delay` milliseconds.
 */
export function expireLease(connection: Connection, id: number, handler: string, delay: number, now: number): void {
  const task = connection.get<RunningTask>(selectRunning, id, handler)
  if (!task) return
  const failure = expiredLeaseFailure(handler, now)
  if (!hasTasks(connection, failure)) saveFailureGroup(connection, failure)
  connection.run(expireTask, now + delay, delay, failure.id, failure.at, id, handler)
  insertAttempt(connection, { id, handler, attempt: task.attempt, startedAt: task.started_at, outcome: 'cut off' })
  if (!task.claimed_ahead) addCounts(connection, cutOffCounts([handler], now))
  promoteNext(connection, handler, task.order_key)
  updateDeliveryState(connection, id)
}

/** Ends a task as `gone`: its handler is no longer registered, or no longer matches. */
export function markGone(connection: Connection, id: number, handler: string): void {
  connection.run(markTaskGone, id, handler)
}

/**
 * Derives the state and the `next_at` of a delivery from its tasks, and writes them.
 * @param ended An attempt that has ended, which changes the duration of the delivery.
 */
export function updateDeliveryState(connection: Connection, id: number, ended?: AttemptResult): DeliveryState {
  const tasks = connection.all<{ state: TaskState; nextAt: number | null }>(selectStates, id)
  const state: DeliveryState = deliveryStateOf(tasks.map((task) => task.state))
  connection.run(updateState, state, nextAttemptOf(state, tasks) ?? null, id)
  // Most deliveries have one attempt, and need no sum.
  if (ended) updateDurationClass(connection, id, tasks.length === 1 && ended.attempt === 1 ? ended.duration : undefined)
  connection.changed.add(id)
  return state
}

/** @param duration Milliseconds of all ended attempts together. Default: reads them. */
export function updateDurationClass(connection: Connection, id: number, duration?: number): void {
  const total = duration ?? connection.get<{ total: number | null }>(selectDuration, id)?.total ?? 0
  const durationClass = durationClassOf(total)
  if (durationClass !== null) connection.run(updateClass, durationClass, id, durationClass)
}

const withoutTexts = (result: AttemptResult): AttemptResult => ({
  ...result,
  error: firstLine(result.error),
  result: undefined,
  log: undefined,
})

/** Deletes the texts of the earlier attempts of a task, except the first lines of their errors. */
function deleteEarlierTexts(connection: Connection, { id, handler, attempt }: AttemptResult): void {
  for (const { number, error } of connection.all<EarlierAttempt>(selectEarlierTexts, id, handler, attempt)) {
    connection.run(deleteTexts, firstLine(error) ?? null, id, handler, number)
  }
}

interface EarlierAttempt {
  number: number
  error: string | null
}

/** An attempt that has ended. `duration` is missing if the worker died, or if an operator discarded the delivery. */
interface EndedAttempt
  extends Pick<AttemptResult, 'id' | 'handler' | 'attempt' | 'startedAt' | 'error' | 'result' | 'log'> {
  outcome: AttemptResult['outcome'] | 'cut off'
  duration?: number | undefined
}

export function insertAttempt(connection: Connection, attempt: EndedAttempt): void {
  connection.run(
    insertEndedAttempt,
    attempt.id,
    attempt.handler,
    attempt.attempt,
    attempt.startedAt,
    attempt.duration ?? null,
    attempt.outcome,
    attempt.error ?? null,
    attempt.result ?? null,
    attempt.log ?? null,
  )
}

const selectNextScheduled =
  'select handler from tasks where next_at is not null and handler > ? order by handler limit 1'

const selectDue = `
  select attempt, attempts_used, uncounted, order_key from tasks
  where delivery_id = ? and handler = ? and next_at is not null`

const startTask = `
  update tasks
  set state = 'running', next_at = null, delay = null, attempt = attempt + 1, attempts_used = attempts_used + 1,
      claimed_ahead = ?, worker = ?, started_at = ?, claimed_after = ?, claimed_after_attempt = ?
  where delivery_id = ? and handler = ?`

const selectRunning = `
  select attempt, started_at, order_key, claimed_ahead from tasks where delivery_id = ? and handler = ? and state = 'running'`

const selectClaimedAfter = `
  select delivery_id as id, attempt, attempts_used as attemptsUsed, uncounted, replayed
  from tasks join deliveries on deliveries.id = delivery_id
  where handler = ? and order_key = (select order_key from tasks where delivery_id = ? and handler = ?)
    and tasks.state = 'running' and worker = ? and claimed_after = ?
    and claimed_after_attempt = ?`

/**
 * A released attempt, which makes the task pending, leaves the failure of an earlier attempt unresolved. Its task is first
 * again (pass 0). A retry gets its pass later, when it becomes ready.
 */
const endLease = `
  update tasks
  set state = ?, next_at = ?, delay = ?, pass = 0, attempts_used = attempts_used + ?, claimed_ahead = 0,
      worker = null, started_at = null, failure_group = iif(?, failure_group, ?), failed_at = iif(?, failed_at, ?)
  where delivery_id = ? and handler = ? and attempt = ? and worker = ? and state = 'running'
  returning order_key`

const expireTask = `
  update tasks
  set state = 'retrying', next_at = ?, delay = ?, uncounted = uncounted + claimed_ahead, claimed_ahead = 0,
      worker = null, started_at = null,
      failure_group = ?, failed_at = ?
  where delivery_id = ? and handler = ?`

const insertEndedAttempt = `
  insert into attempts (delivery_id, handler, number, started_at, duration, outcome, error, result, log)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?)`

const selectEarlierTexts = `
  select number, error from attempts
  where delivery_id = ? and handler = ? and number < ?
    and (result is not null or log is not null or instr(error, char(10)) > 0)`

const deleteTexts = `
  update attempts set error = ?, result = null, log = null where delivery_id = ? and handler = ? and number = ?`

const markTaskGone = `
  update tasks set state = 'gone', next_at = null, delay = null, failure_group = null, failed_at = null
  where delivery_id = ? and handler = ?`
const selectStates = 'select state, coalesce(next_at, start_at) as nextAt from tasks where delivery_id = ?'
const selectDuration = 'select sum(duration) as total from attempts where delivery_id = ?'
const updateClass = 'update deliveries set duration_class = ? where id = ? and duration_class is not ?'
const updateState = 'update deliveries set state = ?, next_at = ? where id = ?'

/**
 * Whether an attempt of a task was cut off. @param place 0: the latest attempt that was not released. 1: the one before.
 */
const isCutOff = (place: number): string => `(
  select outcome from attempts
  where attempts.delivery_id = tasks.delivery_id and attempts.handler = tasks.handler and outcome <> 'released'
  order by number desc limit 1 offset ${place}) is 'cut off'`

/** Whether the two latest leases of a task have expired. */
export const isSuspect: string = `tasks.attempt > 1 and ${isCutOff(0)} and ${isCutOff(1)}`

/**
 * The life of a task, as `records.ts` tells it. Each function changes it in the transaction of its caller.
 *
 * Order: of the unfinished tasks of a handler that have the same key, the one received first is the head, and only the
 * head may begin, and only while no other of the key runs. The others are held: they have no `next_at`. Whatever
 * changes the state of one of them passes the turn on to the head.
 */
import type { AttemptResult, ClaimedTask, DeliveryStatus } from '../inbox/inbox.ts'
import { type DeliveryState, deliveryStateOf, type TaskState } from '../inbox/records.ts'
import { transitionOf } from '../inbox/task-state.ts'
import type { Connection } from './connection.ts'

/** Whether the order lets a task begin. */
export function mayBegin(connection: Connection, id: number, handler: string, key: string | null | undefined): boolean {
  if (key === undefined || key === null) return true
  const head = connection.get<{ delivery_id: number | null }>(selectFirst, handler, key)?.delivery_id ?? id
  return id <= head && !connection.get(selectRunningOther, handler, key, id)
}

/** Holds a task if it is not its turn. @returns Whether it is held. */
export function blockUnlessFirst(connection: Connection, id: number, handler: string, key: string | null): boolean {
  if (mayBegin(connection, id, handler, key)) return false
  connection.run(blockTask, id, handler)
  return true
}

/** Begins an attempt; a task whose turn it is not is held instead. */
export function claimTask(
  connection: Connection,
  worker: number,
  id: number,
  handler: string,
  now: number,
): Omit<ClaimedTask, 'replayed'> | undefined {
  const task = connection.get<{ attempt: number; attempts_used: number; order_key: string | null }>(
    selectDue,
    id,
    handler,
  )
  if (!task || blockUnlessFirst(connection, id, handler, task.order_key)) return undefined
  connection.run(startTask, worker, now, id, handler)
  return { id, handler, attempt: task.attempt + 1, attemptsUsed: task.attempts_used + 1 }
}

/** Records how attempts ended, except of those whose lease has passed to another. @returns the deliveries' states. */
export function finishAll(
  connection: Connection,
  worker: number,
  outcomes: readonly AttemptResult[],
): DeliveryStatus[] {
  const next = new Map<number, ClaimedTask>()
  const ids = new Set<number>()
  for (const outcome of outcomes) {
    const recorded = finish(connection, worker, outcome)
    const claimed = claimNextTask(connection, worker, outcome, recorded)
    if (recorded || claimed) ids.add(outcome.id)
    if (claimed) next.set(outcome.id, claimed)
  }
  for (const { id } of next.values()) updateDeliveryState(connection, id)
  return [...ids].map((id) => {
    const claimed = next.get(id)
    return { ...updateDeliveryState(connection, id), ...(claimed && { next: claimed }) }
  })
}

/**
 * Begins the next task with the same key in the place of one that has ended. A repeated call, whose first answer was
 * lost, records no outcome: it returns the task that the first call began.
 */
function claimNextTask(
  connection: Connection,
  worker: number,
  outcome: AttemptResult,
  recorded: boolean,
): ClaimedTask | undefined {
  const { id, handler, nextBytes, startedAt, duration } = outcome
  if (nextBytes === undefined) return undefined
  const head = connection.get<FirstTaskRow>(selectFirstTask, handler, id, handler)
  if (!head || head.delivery_id === id) return undefined
  const now = startedAt + duration
  const replayed = head.replayed === 1
  if (head.worker === worker && head.started_at === now) {
    return { id: head.delivery_id, handler, attempt: head.attempt, attemptsUsed: head.attempts_used, replayed }
  }
  const isDue = head.state === 'pending' && head.next_at !== null
  if (!recorded || !isDue || head.size > nextBytes || head.paused === 1) return undefined
  const claimed = claimTask(connection, worker, head.delivery_id, handler, now)
  return claimed && { ...claimed, replayed }
}

interface FirstTaskRow {
  delivery_id: number
  state: TaskState
  next_at: number | null
  attempt: number
  attempts_used: number
  worker: number | null
  started_at: number | null
  size: number
  replayed: number
  paused: number
}

/** Records how an attempt ended. @returns whether it was still the worker's to tell. */
export function finish(connection: Connection, worker: number, outcome: AttemptResult): boolean {
  const { id, handler, attempt } = outcome
  const { state, nextAt = null, delay = null, attemptsUsedChange } = transitionOf(outcome)
  const ended = [state, nextAt, delay, attemptsUsedChange] as const
  const task = connection.get<{ order_key: string | null }>(endLease, ...ended, id, handler, attempt, worker)
  if (!task) return false
  const { startedAt, duration, error, result, log } = outcome
  const texts = [error ?? null, result ?? null, log ?? null]
  connection.run(insertAttempt, id, handler, attempt, startedAt, duration, outcome.outcome, ...texts)
  promoteNext(connection, handler, task.order_key)
  return true
}

/** Takes a running task from a worker that died: the attempt counts, and another is due after a wait. */
export function expireLease(connection: Connection, id: number, handler: string, wait: number, now: number): void {
  const task = connection.get<{ attempt: number; started_at: number; order_key: string | null }>(
    selectRunning,
    id,
    handler,
  )
  if (!task) return
  connection.run(expireTask, now + wait, wait, id, handler)
  connection.run(insertAttempt, id, handler, task.attempt, task.started_at, null, 'cut off', null, null, null)
  promoteNext(connection, handler, task.order_key)
  updateDeliveryState(connection, id)
}

/** Ends a task whose handler is registered nowhere any more. */
export function markGone(connection: Connection, id: number, handler: string, key: string | null): void {
  connection.run(markTaskGone, id, handler)
  promoteNext(connection, handler, key)
}

/** Gives the turn to the head of a key. */
export function promoteNext(connection: Connection, handler: string, key: string | null): void {
  if (key !== null) connection.run(makeFirstDue, handler, handler, key, key)
}

/** Brings a delivery's own state in line with those of its tasks. */
export function updateDeliveryState(connection: Connection, id: number): DeliveryStatus {
  const tasks = connection.all<{ state: TaskState; next_at: number | null }>(selectStates, id)
  const state: DeliveryState = deliveryStateOf(tasks.map((task) => task.state))
  const times = tasks.flatMap((task) => (task.state === 'retrying' && task.next_at !== null ? [task.next_at] : []))
  connection.run(updateState, state, state === 'retrying' ? Math.min(...times) : null, id)
  connection.changed.add(id)
  return { id, state }
}

/** The first unfinished task with the key of another task. */
const selectFirstTask = `
  select delivery_id, head.state, head.next_at, attempt, attempts_used, worker, started_at, size, replayed,
    exists (select 1 from pauses where pauses.handler in (head.handler, '*')) as paused
  from (
    select * from tasks
    where handler = ? and state in ('pending', 'running', 'retrying')
      and order_key = (select order_key from tasks where delivery_id = ? and handler = ?)
    order by delivery_id
    limit 1
  ) as head join deliveries on deliveries.id = delivery_id`

const selectFirst = `
  select min(delivery_id) as delivery_id from tasks
  where handler = ? and order_key = ? and state in ('pending', 'running', 'retrying')`

const selectRunningOther = `
  select 1 from tasks
  where handler = ? and order_key = ? and state = 'running' and delivery_id <> ?
  limit 1`

const selectDue = `
  select attempt, attempts_used, order_key from tasks
  where delivery_id = ? and handler = ? and next_at is not null`

const blockTask =
  "update tasks set state = 'pending', next_at = null, delay = null where delivery_id = ? and handler = ?"

const startTask = `
  update tasks
  set state = 'running', next_at = null, delay = null, attempt = attempt + 1, attempts_used = attempts_used + 1,
      worker = ?, started_at = ?
  where delivery_id = ? and handler = ?`

const selectRunning = `
  select attempt, started_at, order_key from tasks
  where delivery_id = ? and handler = ? and state = 'running'`

const endLease = `
  update tasks
  set state = ?, next_at = ?, delay = ?, attempts_used = attempts_used + ?, worker = null, started_at = null
  where delivery_id = ? and handler = ? and attempt = ? and worker = ? and state = 'running'
  returning order_key`

const expireTask = `
  update tasks
  set state = 'retrying', next_at = ?, delay = ?, worker = null, started_at = null
  where delivery_id = ? and handler = ?`

const insertAttempt = `
  insert into attempts (delivery_id, handler, number, started_at, duration, outcome, error, result, log)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?)`

const makeFirstDue = `
  update tasks set next_at = 0
  where state = 'pending' and next_at is null and handler = ? and delivery_id = (
    select delivery_id from tasks
    where handler = ? and order_key = ? and state in ('pending', 'running', 'retrying')
    order by delivery_id
    limit 1)
    and order_key = ?`

const markTaskGone = `
  update tasks set state = 'gone', next_at = null, delay = null where delivery_id = ? and handler = ?`

const selectStates = 'select state, next_at from tasks where delivery_id = ?'

const updateState = 'update deliveries set state = ?, next_at = ? where id = ?'

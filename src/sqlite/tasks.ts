/**
 * The life of a task, as `records.ts` tells it. Each function changes it in the transaction of its caller.
 *
 * Order: of the unfinished tasks of a handler that have the same key, the one received first is the head, and only the
 * head may begin, and only while no other of the key runs. The others are held: they have no `next_at`. Whatever
 * changes the state of one of them passes the turn on to the head.
 */
import type { Begun, Outcome, Standing } from '../inbox/inbox.ts'
import { type DeliveryState, stateOf, type TaskState } from '../inbox/records.ts'
import { endOf } from '../inbox/task-state.ts'
import type { Connection } from './connection.ts'

/** Whether the order lets a task begin. */
export function mayBegin(connection: Connection, id: number, handler: string, key: string | null | undefined): boolean {
  if (key === undefined || key === null) return true
  const head = connection.get<{ delivery_id: number | null }>(selectHead, handler, key)?.delivery_id ?? id
  return id <= head && !connection.get(selectRunningOther, handler, key, id)
}

/** Holds a task if it is not its turn. @returns Whether it is held. */
export function holdUnlessHead(connection: Connection, id: number, handler: string, key: string | null): boolean {
  if (mayBegin(connection, id, handler, key)) return false
  connection.run(hold, id, handler)
  return true
}

/** Begins an attempt; a task whose turn it is not is held instead. */
export function begin(
  connection: Connection,
  worker: number,
  id: number,
  handler: string,
  now: number,
): Omit<Begun, 'replayed'> | undefined {
  const task = connection.get<{ attempt: number; spent: number; order_key: string | null }>(selectDue, id, handler)
  if (!task || holdUnlessHead(connection, id, handler, task.order_key)) return undefined
  connection.run(beginTask, worker, now, id, handler)
  return { id, handler, attempt: task.attempt + 1, spent: task.spent + 1 }
}

/** Records how attempts ended, except of those whose lease has passed to another. @returns the deliveries' states. */
export function finishAll(connection: Connection, worker: number, outcomes: readonly Outcome[]): Standing[] {
  const next = new Map<number, Begun>()
  const ids = new Set<number>()
  for (const outcome of outcomes) {
    const recorded = finish(connection, worker, outcome)
    const begun = nextOf(connection, worker, outcome, recorded)
    if (recorded || begun) ids.add(outcome.id)
    if (begun) next.set(outcome.id, begun)
  }
  for (const { id } of next.values()) settle(connection, id)
  return [...ids].map((id) => {
    const begun = next.get(id)
    return { ...settle(connection, id), ...(begun && { next: begun }) }
  })
}

/**
 * Begins the next task with the same key in the place of one that has ended. A repeated call, whose first answer was
 * lost, records no outcome: it returns the task that the first call began.
 */
function nextOf(connection: Connection, worker: number, outcome: Outcome, recorded: boolean): Begun | undefined {
  const { id, handler, nextBytes, startedAt, duration } = outcome
  if (nextBytes === undefined) return undefined
  const head = connection.get<HeadRow>(selectHeadTask, handler, id, handler)
  if (!head || head.delivery_id === id) return undefined
  const now = startedAt + duration
  const replayed = head.replayed === 1
  if (head.worker === worker && head.started_at === now) {
    return { id: head.delivery_id, handler, attempt: head.attempt, spent: head.spent, replayed }
  }
  const isDue = head.state === 'pending' && head.next_at !== null
  if (!recorded || !isDue || head.size > nextBytes || head.paused === 1) return undefined
  const begun = begin(connection, worker, head.delivery_id, handler, now)
  return begun && { ...begun, replayed }
}

interface HeadRow {
  delivery_id: number
  state: TaskState
  next_at: number | null
  attempt: number
  spent: number
  worker: number | null
  started_at: number | null
  size: number
  replayed: number
  paused: number
}

/** Records how an attempt ended. @returns whether it was still the worker's to tell. */
export function finish(connection: Connection, worker: number, outcome: Outcome): boolean {
  const { id, handler, attempt } = outcome
  const { state, nextAt = null, waits = null, spends } = endOf(outcome)
  const ended = [state, nextAt, waits, spends] as const
  const task = connection.get<{ order_key: string | null }>(endLease, ...ended, id, handler, attempt, worker)
  if (!task) return false
  const { startedAt, duration, error, result, log } = outcome
  const texts = [error ?? null, result ?? null, log ?? null]
  connection.run(insertAttempt, id, handler, attempt, startedAt, duration, outcome.outcome, ...texts)
  passOn(connection, handler, task.order_key)
  return true
}

/** Takes a running task from a worker that died: the attempt counts, and another is due after a wait. */
export function cutOff(connection: Connection, id: number, handler: string, wait: number, now: number): void {
  const task = connection.get<{ attempt: number; started_at: number; order_key: string | null }>(
    selectRunning,
    id,
    handler,
  )
  if (!task) return
  connection.run(cutOffTask, now + wait, wait, id, handler)
  connection.run(insertAttempt, id, handler, task.attempt, task.started_at, null, 'cut off', null, null, null)
  passOn(connection, handler, task.order_key)
  settle(connection, id)
}

/** Ends a task whose handler is registered nowhere any more. */
export function lose(connection: Connection, id: number, handler: string, key: string | null): void {
  connection.run(loseTask, id, handler)
  passOn(connection, handler, key)
}

/** Gives the turn to the head of a key. */
export function passOn(connection: Connection, handler: string, key: string | null): void {
  if (key !== null) connection.run(freeHead, handler, handler, key, key)
}

/** Brings a delivery's own state in line with those of its tasks. */
export function settle(connection: Connection, id: number): Standing {
  const tasks = connection.all<{ state: TaskState; next_at: number | null }>(selectStates, id)
  const state: DeliveryState = stateOf(tasks.map((task) => task.state))
  const waits = tasks.flatMap((task) => (task.state === 'waiting' && task.next_at !== null ? [task.next_at] : []))
  connection.run(settleDelivery, state, state === 'waiting' ? Math.min(...waits) : null, id)
  connection.changed.add(id)
  return { id, state }
}

/** The first unfinished task with the key of another task. */
const selectHeadTask = `
  select delivery_id, head.state, head.next_at, attempt, spent, worker, started_at, size, replayed,
    exists (select 1 from pauses where pauses.handler in (head.handler, '*')) as paused
  from (
    select * from tasks
    where handler = ? and state in ('pending', 'running', 'waiting')
      and order_key = (select order_key from tasks where delivery_id = ? and handler = ?)
    order by delivery_id
    limit 1
  ) as head join deliveries on deliveries.id = delivery_id`

const selectHead = `
  select min(delivery_id) as delivery_id from tasks
  where handler = ? and order_key = ? and state in ('pending', 'running', 'waiting')`

const selectRunningOther = `
  select 1 from tasks
  where handler = ? and order_key = ? and state = 'running' and delivery_id <> ?
  limit 1`

const selectDue = `
  select attempt, spent, order_key from tasks
  where delivery_id = ? and handler = ? and next_at is not null`

const hold = "update tasks set state = 'pending', next_at = null, waits = null where delivery_id = ? and handler = ?"

const beginTask = `
  update tasks
  set state = 'running', next_at = null, waits = null, attempt = attempt + 1, spent = spent + 1,
      worker = ?, started_at = ?
  where delivery_id = ? and handler = ?`

const selectRunning = `
  select attempt, started_at, order_key from tasks
  where delivery_id = ? and handler = ? and state = 'running'`

const endLease = `
  update tasks
  set state = ?, next_at = ?, waits = ?, spent = spent + ?, worker = null, started_at = null
  where delivery_id = ? and handler = ? and attempt = ? and worker = ? and state = 'running'
  returning order_key`

const cutOffTask = `
  update tasks
  set state = 'waiting', next_at = ?, waits = ?, worker = null, started_at = null
  where delivery_id = ? and handler = ?`

const insertAttempt = `
  insert into attempts (delivery_id, handler, number, started_at, duration, outcome, error, result, log)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?)`

const freeHead = `
  update tasks set next_at = 0
  where state = 'pending' and next_at is null and handler = ? and delivery_id = (
    select delivery_id from tasks
    where handler = ? and order_key = ? and state in ('pending', 'running', 'waiting')
    order by delivery_id
    limit 1)
    and order_key = ?`

const loseTask = `
  update tasks set state = 'gone', next_at = null, waits = null where delivery_id = ? and handler = ?`

const selectStates = 'select state, next_at from tasks where delivery_id = ?'

const settleDelivery = 'update deliveries set state = ?, next_at = ? where id = ?'

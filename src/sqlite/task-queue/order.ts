/**
 * Order keys. Of the unfinished tasks of a handler with the same key, only the first may run: the task of the oldest
 * delivery. The other tasks are blocked until the first one has ended. A blocked task has no `next_at`.
 *
 * The functions run in the transaction of the caller.
 */
import type { TaskState } from '../../inbox/records.ts'
import type { Connection } from '../connection/connection.ts'
import { nextPassOfTask } from './fairness.ts'

/** The first unfinished task with a key, and the values that decide whether it may run. */
export interface FirstTask {
  delivery_id: number
  state: TaskState
  next_at: number | null
  attempt: number
  source: string
  /** Bytes of the body. */
  size: number
  replayed: number
  paused: number
}

/**
 * Whether a task may run: it has no key, or it is the first task with its key and no other task with the key runs. A
 * task that starts again can be first while a later task with its key runs. Then the first task waits until the attempt
 * of the later task has ended.
 */
export function mayBegin(connection: Connection, id: number, handler: string, key: string | null | undefined): boolean {
  if (key === undefined || key === null) return true
  const first = connection.get<{ delivery_id: number | null }>(selectFirst, handler, key)?.delivery_id ?? id
  return id <= first && !connection.get(selectRunningOther, handler, key, id)
}

/** Blocks a task that may not run yet. @returns whether it is blocked. */
export function blockUnlessFirst(connection: Connection, id: number, handler: string, key: string | null): boolean {
  if (mayBegin(connection, id, handler, key)) return false
  connection.run(blockTask, id, handler)
  return true
}

/** Makes the first task with a key due, if it is blocked. It is not due before its `start_at`. */
export function promoteNext(connection: Connection, handler: string, key: string | null): void {
  if (key !== null) connection.run(makeFirstDue, handler, handler, key, key)
}

/** The first unfinished task with the key of another task. */
export function firstWithKeyOf(connection: Connection, id: number, handler: string): FirstTask | undefined {
  return connection.get<FirstTask>(selectFirstWithKeyOf, handler, id, handler)
}

const selectFirst = `
  select min(delivery_id) as delivery_id from tasks
  where handler = ? and order_key = ? and state in ('pending', 'running', 'retrying')`

const selectRunningOther = `
  select 1 from tasks where handler = ? and order_key = ? and state = 'running' and delivery_id <> ? limit 1`

const blockTask = `
  update tasks set state = 'pending', next_at = null, delay = null where delivery_id = ? and handler = ?`

const makeFirstDue = `
  update tasks set next_at = coalesce(start_at, 0), pass = ${nextPassOfTask}
  where state = 'pending' and next_at is null and handler = ? and delivery_id = (
    select delivery_id from tasks
    where handler = ? and order_key = ? and state in ('pending', 'running', 'retrying')
    order by delivery_id
    limit 1)
    and order_key = ?`

const selectFirstWithKeyOf = `
  select delivery_id, first.state, first.next_at, attempt, source, size, replayed,
    exists (select 1 from pauses where pauses.handler in (first.handler, '*')) as paused
  from (
    select * from tasks
    where handler = ? and state in ('pending', 'running', 'retrying')
      and order_key = (select order_key from tasks where delivery_id = ? and handler = ?)
    order by delivery_id
    limit 1
  ) as first join deliveries on deliveries.id = delivery_id`

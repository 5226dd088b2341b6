/**
 * Fairness between repositories, or between installations. Each ready task has a pass: the tasks of a handler are claimed
 * in the order of their passes. In one pass, each fair key has one task. So a repository with many tasks gets as many
 * passes, and the task of another repository waits at most for one pass.
 *
 * A task is ready if it is due and its `next_at` is 0. It gets its pass when it becomes ready: the one after the current
 * pass, which is the lowest one above 0 of the ready tasks, or the one after the last task of its fair key. Retries count
 * apart from new tasks, so that a retry does not wait for all new deliveries of its repository.
 *
 * Pass 0 is first, and is never the current pass. It is for tasks without a fair key, and for released tasks, which have
 * had their turn.
 */
import type { TaskState } from '../../inbox/records.ts'
import type { Connection } from '../connection/connection.ts'

/** @param task SQL expressions, which the result repeats. */
const nextPass = ({ handler, fairKey, state }: Record<'handler' | 'fairKey' | 'state', string>): string => `
  iif(${fairKey} is null, 0, 1 + max(
    coalesce((
      select pass from tasks as ready where ready.handler = ${handler} and ready.next_at = 0 and ready.pass > 0
      order by pass, delivery_id limit 1), 0),
    coalesce((
      select pass from tasks as ready
      where ready.handler = ${handler} and ready.fair_key = ${fairKey} and ready.state = ${state} and ready.next_at = 0
      order by pass desc limit 1), 0)))`

const updated = { handler: 'tasks.handler', fairKey: 'tasks.fair_key' }

/** The pass of the row that an update of `tasks` makes ready, without a change of its state. */
export const nextPassOfTask: string = nextPass({ ...updated, state: 'tasks.state' })

/** The pass of the row that an update of `tasks` makes ready and pending. */
export const nextPassOfPending: string = nextPass({ ...updated, state: "'pending'" })

/** The pass of a task that is inserted as ready. */
export function passOfNew(connection: Connection, handler: string, fairKey: string, state: TaskState): number {
  return connection.get<{ pass: number }>(selectNextPass, handler, fairKey, state)?.pass ?? 0
}

const selectNextPass = `
  select ${nextPass({ handler: 'input.handler', fairKey: 'input.fair_key', state: 'input.state' })} as pass
  from (select ? as handler, ? as fair_key, ? as state) as input`

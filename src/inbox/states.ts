/**
 * The states of a task and their transitions. The state of a delivery follows from the states of its tasks.
 *
 * A task is
 * - `pending`: it is due, or it waits for its start time, or for another task with the same order key. → `running` when
 *   a worker claims it; → `gone` when it is due, but no worker has registered its handler for the time `vanishAfter`.
 * - `running`: a worker holds its lease. → the state that `transitionOf` derives from the result of the attempt;
 *   → `retrying` when the lease expires. The attempt then counts against the limit, as a failed attempt does, unless the
 *   task was claimed ahead.
 * - `retrying`: it is due at `nextAt`. → `running` or `gone`, for the same reasons as a `pending` task; → `pending`
 *   when an operator retries its delivery, or when it is due but is no longer the first task with its order key.
 * - `done`: it has succeeded. → `pending` when an operator retries its delivery, if the delivery is `done` too, or when
 *   an operator retries this handler of the delivery. The same holds for a task that is `retrying`, `dead`,
 *   `discarded` or `gone`.
 * - `discarded`, `dead`, `gone`: it has ended without success. What follows depends on the delivery of the task:
 *   - The delivery has not ended, because another task of it has not. If an operator retries the delivery, a task that
 *     is `discarded` or `dead` → `pending`. A task that is `gone` stays `gone`, unless the operator retries its handler.
 *   - The delivery has ended. If an operator retries the delivery, or if a copy rearms it, a worker matches it again.
 *     → `pending` if the handler of the task matches, or if the worker does not know the handler; → `gone` if the handler
 *     no longer matches.
 *
 * The worker that matches a delivery may claim its tasks in the same step. Such a task becomes `running` instead of
 * `pending`. An operator who discards a delivery ends its tasks as `discarded`, except those that are `done` or `gone`.
 */
import type { AttemptResult } from './inbox.ts'
import type { DeliveryDetail, DeliveryState, TaskState } from './records.ts'

/** How a store changes a task whose attempt has ended. */
interface TaskTransition {
  state: TaskState
  /** When the task is due again. 0: it is due now. `undefined`: it has ended. */
  nextAt?: number | undefined
  /** Milliseconds between the end of the attempt and `nextAt`. */
  delay?: number | undefined
  /** Added to the attempts that count against the limit. */
  attemptsUsedChange: number
}

/** How the result of an attempt changes its task. */
export function transitionOf({ outcome, nextAt, startedAt, duration }: AttemptResult): TaskTransition {
  switch (outcome) {
    case 'succeeded':
      return { state: 'done', attemptsUsedChange: 0 }
    case 'failed':
      if (nextAt === undefined) return { state: 'retrying', nextAt: 0, attemptsUsedChange: 0 }
      return { state: 'retrying', nextAt, delay: nextAt - startedAt - duration, attemptsUsedChange: 0 }
    case 'dead':
    case 'discarded':
      return { state: outcome, attemptsUsedChange: 0 }
    case 'released':
      return { state: 'pending', nextAt: 0, attemptsUsedChange: -1 }
  }
}

/**
 * The state of a delivery that is matched: the first of `running`, `retrying`, `pending` and `dead` that one of its
 * tasks has. If no task has one of these states, the tasks that are not `gone` decide: `ignored` if there are none,
 * `discarded` if all of them are `discarded`, else `done`.
 */
export function deliveryStateOf(tasks: readonly TaskState[]): DeliveryState {
  for (const state of ['running', 'retrying', 'pending', 'dead'] as const) if (tasks.includes(state)) return state
  const ended = tasks.filter((state) => state !== 'gone')
  if (ended.length === 0) return 'ignored'
  return ended.every((state) => state === 'discarded') ? 'discarded' : 'done'
}

/**
 * Whether the match after a retry runs handlers again that have succeeded. True for a `done` delivery. Also true if no
 * handler has succeeded, so that the match of a discarded replay knows that an operator has retried it.
 */
export function rerunOf(state: DeliveryState, hasSucceeded: boolean): boolean {
  return state === 'done' || !hasSucceeded
}

/**
 * Whether an imported delivery waits for its match. `rerun`: whether handlers that succeeded then run again. An export has
 * the states, but not the columns of the store. A matched delivery that is `pending` has a task that has not ended. An old
 * export has no `rerun`: a delivery whose tasks all succeeded is then `pending` only because an operator has retried it.
 */
export function matchOf({ state, rerun, tasks }: Pick<DeliveryDetail, 'state' | 'rerun' | 'tasks'>): {
  isUnmatched: boolean
  rerun: boolean
} {
  const states = tasks.map((task) => task.state)
  const isUnmatched = state === 'pending' && !states.some((one) => unfinishedStates.includes(one))
  const haveSucceeded = states.includes('done') && states.every((one) => one === 'done' || one === 'gone')
  return { isUnmatched, rerun: isUnmatched && (rerun ?? haveSucceeded) }
}

const unfinishedStates: readonly TaskState[] = ['pending', 'running', 'retrying']

/**
 * When the next attempt of a delivery may start: the earliest time of its tasks in the same state. `undefined` if the
 * delivery is neither `retrying` nor `pending`, or if one of these tasks is due now, which is the time 0. A blocked task
 * without a start time counts as due, because it may become due at any time. So the transaction that makes it due need not
 * update its delivery.
 */
export function nextAttemptOf(
  state: DeliveryState | TaskState,
  tasks: readonly { state: TaskState; nextAt?: number | null | undefined }[],
): number | undefined {
  if (state !== 'retrying' && state !== 'pending') return undefined
  const times = tasks.flatMap((task) => (task.state === state ? (task.nextAt ?? 0) : []))
  return times.length > 0 ? Math.min(...times) || undefined : undefined
}

/** Adds up counts by state. A state without a count gets 0. */
export function sumByState<State extends string>(
  states: readonly State[],
  rows: Iterable<{ state: State; count: number }>,
): Record<State, number> {
  const counts = Object.fromEntries(states.map((state) => [state, 0])) as Record<State, number>
  for (const { state, count } of rows) counts[state] += count
  return counts
}

/** States in which a delivery has ended and may be pruned, in the order of pruning: the least interesting first. */
export const prunedStates: readonly DeliveryState[] = ['done', 'ignored', 'discarded', 'dead']

/** States of a task from which an operator can start its handler again. */
export const restartableStates: readonly TaskState[] = ['done', 'retrying', 'dead', 'discarded', 'gone']

/** Whether a delivery in this state has ended. */
export const hasEnded = (state: DeliveryState): boolean => prunedStates.includes(state)

/** Whether a copy rearms a delivery in this state. True if the delivery has ended without success. */
export function isRearmed(state: DeliveryState): boolean {
  return state === 'dead' || state === 'ignored' || state === 'discarded'
}

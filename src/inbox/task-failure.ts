/** Decides which failure a store records with a task. `failure-groups.ts` describes the groups. */
import { hash } from '../runtime/recent-node.ts'
import { day } from '../runtime/units.ts'
import { failedTaskStates } from './failure-groups.ts'
import { hashKey } from './identity.ts'
import { normalizeError } from './normalize-error.ts'
import type { TaskDetail } from './records.ts'
import type { AttemptResult } from './task-queue.ts'

/** How long a resolved group is remembered, so that its return is noticed. */
export const resolvedAge: number = 30 * day

/** A failure to record with the task. */
export interface TaskFailure {
  /** The id of the group. */
  id: number
  handler: string
  /** The normalized error. */
  error: string
  at: number
}

/** The failure that a result reports, if it does. */
export function failureOf(
  result: Pick<AttemptResult, 'handler' | 'error' | 'startedAt'> & { outcome: string; duration?: number | undefined },
): TaskFailure | undefined {
  const { handler, outcome, error, startedAt, duration = 0 } = result
  if (outcome === 'cut off') return expiredLeaseFailure(handler, startedAt)
  if (outcome !== 'failed' && outcome !== 'dead') return undefined
  return failureWith(handler, normalizeError(error), startedAt + duration)
}

/** The unresolved failure of a task that is imported: that of its latest failed attempt. */
export function importedFailure({ handler, state, attempts }: TaskDetail): TaskFailure | undefined {
  const latest = attempts.findLast(({ outcome }) => outcome !== 'released')
  if (isEnded(state) || !latest) return undefined
  return failureOf({ handler, ...latest, outcome: latest.outcome === 'running' ? 'cut off' : latest.outcome })
}

const isEnded = (state: TaskDetail['state']): boolean => !failedTaskStates.some((one) => one === state)

/** The failure of an attempt whose lease has expired. */
export function expiredLeaseFailure(handler: string, at: number): TaskFailure {
  return failureWith(handler, 'The lease expired: the process of the handler ended or did not respond', at)
}

function failureWith(handler: string, error: string, at: number): TaskFailure {
  return { id: hashKey(hash('sha256', JSON.stringify([handler, error]), 'buffer')), handler, error, at }
}

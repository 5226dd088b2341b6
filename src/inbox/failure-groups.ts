/**
 * Failure groups: the unresolved failures of one handler that have the same normalized error.
 *
 * A task keeps the group and the time of its latest failure until it ends as `done`, `discarded` or `gone`, or until
 * another attempt fails with another error. Meanwhile, it is `dead`, `retrying`, `running`, or `pending` after a retry.
 * A group is listed while it has such tasks. Then it is resolved. If it gets a task again, it has returned.
 *
 * The group is computed when the result of an attempt is recorded, so no list has to read the errors of attempts.
 */
import type { NewAuditEntry } from './audit-log.ts'
import type { AttemptDetail, PayloadSummary } from './records.ts'

export const failedTaskStates = ['dead', 'retrying', 'pending', 'running'] as const
/** The state of a task with an unresolved failure. */
export type FailedTaskState = (typeof failedTaskStates)[number]

/** The unresolved failures of one handler with the same normalized error. Times are milliseconds since 1970. */
export interface FailureGroup {
  /** Follows from the handler and the error, so it is the same in every inbox. */
  id: number
  /** The name of the handler that failed. */
  handler: string
  /** The normalized error. */
  error: string
  /** How many tasks of the group are in each state. */
  tasks: Record<FailedTaskState, number>
  /** When the first attempt failed with this error. */
  firstAt: number
  /** When the latest attempt of these tasks failed. */
  lastAt: number
  /** When the group got a task again after it had been resolved; `undefined` if it never did. */
  returnedAt: number | undefined
  /** How many attempts failed with this error in the current hour and in each of the 23 hours before it, oldest first. */
  hours: number[]
  /** The repositories with the most of the newest 50 tasks, at most three, and their numbers of tasks. */
  repositories: { repository: string; count: number }[]
}

/** The newest failure of a group, among the tasks whose latest attempt failed with its error. */
export interface FailureExample extends Pick<PayloadSummary, 'action' | 'repository' | 'title'> {
  /** The id of the delivery. */
  id: number
  /** Without the action. */
  event: string
  /** `X-GitHub-Delivery` of the delivery. */
  guid: string
  /** When the delivery was received. */
  receivedAt: number
  /** The attempt that failed; `undefined` if it is not stored. */
  attempt: AttemptDetail | undefined
}

/** A failure group with its newest failure. */
export interface FailureGroupDetail extends FailureGroup {
  /** `undefined` if the latest attempt of no task failed with this error. */
  example: FailureExample | undefined
}

/** Which failure groups to list. */
export interface FailureQuery {
  /** Only the groups of this handler. */
  handler?: string | undefined
  /** Only groups whose latest failure was at this time or later. */
  since?: number | undefined
  /** For the next page: `next` of the previous page. */
  after?: FailurePlace | undefined
  /** Maximum groups in a page: 1 to 100. Default: 50. */
  limit?: number | undefined
}

/** The place of a group in the list. */
export type FailurePlace = Pick<FailureGroup, 'lastAt' | 'id'>

/** One page of failure groups, the latest failure first. */
export interface FailurePage {
  /** At most `limit` of the query. */
  groups: FailureGroup[]
  /** How many groups match the handler and the time, on all pages. */
  total: number
  /** `after` of the query for the next page; `undefined` on the last page. */
  next: FailurePlace | undefined
}

/** Groups the failures of handlers. `entry` is for the audit log, as in `Operations`. */
export interface FailureGroups {
  /** Returns a page of the unresolved groups, the latest failure first. */
  failureGroups(query: FailureQuery, now: number): Promise<FailurePage>
  /** @returns `undefined` if there is no such group, or if it is resolved. */
  failureGroup(id: number, now: number): Promise<FailureGroupDetail | undefined>
  /**
   * Runs the `dead` and `retrying` tasks of a group again, without waiting for a backoff. Leaves other tasks of their
   * deliveries alone. Leaves out tasks that fail again during the call.
   * @returns the number of tasks that run again.
   */
  retryFailures(id: number, entry?: NewAuditEntry): Promise<number>
  /** Ends the `dead` and `retrying` tasks of a group as `discarded`. @returns the number of these tasks. */
  discardFailures(id: number, reason: string, entry?: NewAuditEntry): Promise<number>
}

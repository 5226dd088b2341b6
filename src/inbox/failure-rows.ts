/** The rows that stores read for lists of failure groups, and the maximum numbers of these rows. */
import { hour } from '../runtime/units.ts'
import type { FailedTaskState, FailureExample, FailureGroup, FailurePage, FailureQuery } from './failure-groups.ts'
import { clamp } from './query/paging.ts'
import { type AttemptRow, toAttemptDetail } from './rows.ts'

/** The number of tasks whose repositories are counted. */
export const maxRepositoryTasks = 50

/** The number of repositories of a group that are shown. */
export const maxRepositories = 3

/** The number of groups in a page. */
export function failureLimit({ limit }: FailureQuery): number {
  return clamp(limit, 50, 100)
}

/** The first hour that `hours` counts, in hours since 1970. */
export const firstHour = (now: number): number => Math.floor(now / hour) - 23

/** A row of a list of groups. */
export interface FailureGroupRow extends Record<FailedTaskState, number> {
  id: number
  handler: string
  error: string
  first_at: number
  last_at: number
  returned_at: number | null
  /** The number of groups that match. */
  total?: number
}

/** The failures of a group in an hour. */
export interface FailureHourRow {
  id: number
  /** Since the first hour. */
  hour: number
  count: number
}

/** A repository of a group, and the number of its tasks. */
export interface FailureRepositoryRow {
  id: number
  repository: string
  count: number
}

/** The delivery of the newest failure of a group. */
export interface FailureExampleRow {
  id: number
  handler: string
  event: string
  guid: string
  received_at: number
  action: string | null
  repository: string | null
  title: string | null
}

/** @param attempt The newest failed attempt of the task. */
export function toFailureExample(row: FailureExampleRow, attempt: AttemptRow | undefined): FailureExample {
  const { id, event, guid, received_at: receivedAt, action, repository, title } = row
  return {
    ...{ id, event, guid, receivedAt, attempt: attempt && toAttemptDetail(attempt) },
    ...{ action: action ?? undefined, repository: repository ?? undefined, title: title ?? undefined },
  }
}

/** @param hours, repositories Those of these groups; the repositories in the order in which they are shown. */
export function toFailureGroups(
  rows: readonly FailureGroupRow[],
  hours: readonly FailureHourRow[],
  repositories: readonly FailureRepositoryRow[],
): FailureGroup[] {
  return rows.map(({ id, handler, error, first_at, last_at, returned_at, dead, retrying, pending, running }) => {
    const counts = Array.from({ length: 24 }, (_, index) => {
      return hours.find((row) => row.id === id && row.hour === index)?.count ?? 0
    })
    return {
      ...{ id, handler, error, tasks: numbersOf({ dead, retrying, pending, running }) },
      ...{ firstAt: first_at, lastAt: last_at, returnedAt: returned_at ?? undefined, hours: counts },
      repositories: repositories.filter((one) => one.id === id).map(({ repository, count }) => ({ repository, count })),
    }
  })
}

/** A sum is `null` if there is nothing to add up. */
function numbersOf(sums: FailureGroup['tasks']): FailureGroup['tasks'] {
  const { dead, retrying, pending, running } = sums
  return { dead: Number(dead), retrying: Number(retrying), pending: Number(pending), running: Number(running) }
}

/** @param rows The rows of the page, and the row after it if there is one. */
export function toFailurePage(rows: readonly FailureGroupRow[], groups: readonly FailureGroup[]): FailurePage {
  const last = groups.at(-1)
  const next = last && rows.length > groups.length ? { lastAt: last.lastAt, id: last.id } : undefined
  return { groups: [...groups], total: rows[0]?.total ?? 0, next }
}

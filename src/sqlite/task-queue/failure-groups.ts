/** Records failure groups, in the transaction of the caller. */
import { firstHour } from '../../inbox/failure-rows.ts'
import { resolvedAge, type TaskFailure } from '../../inbox/task-failure.ts'
import type { Connection } from '../connection/connection.ts'

/** Whether the group of a failure has tasks. If it has none, it is new or has returned. */
export const hasTasks = (connection: Connection, { id }: TaskFailure): boolean =>
  connection.get(selectTask, id) !== undefined

/** Creates a group, or records that it has returned. */
export function saveFailureGroup(connection: Connection, { id, handler, error, at }: TaskFailure): void {
  connection.run(upsertGroup, id, handler, error, at)
}

/** Records which groups are resolved. Deletes those that were resolved long ago, and old counts. */
export function resolveFailureGroups(connection: Connection, now: number): void {
  connection.run(markResolved, now)
  connection.run(deleteCounts, firstHour(now), now - resolvedAge)
  connection.run(deleteResolved, now - resolvedAge)
}

const selectTask = 'select 1 from tasks where failure_group = ? limit 1'

const upsertGroup = `
  insert into failure_groups (id, handler, error, first_at) values (?, ?, ?, ?)
  on conflict (id) do update set returned_at = excluded.first_at, resolved_at = null`

/** Reads the groups that are not resolved. Each has tasks, except those that have been resolved since the last call. */
const markResolved = `
  update failure_groups set resolved_at = ?
  where resolved_at is null and not exists (select 1 from tasks where failure_group = failure_groups.id)`

/** Reads the counts of all groups, which are at most 28 for each. */
const deleteCounts = `
  delete from failure_counts
  where (hour > 0 and hour < ?) or failure_group in (select id from failure_groups where resolved_at < ?)`

const deleteResolved = 'delete from failure_groups where resolved_at < ?'

/** The audit log. All writes run in the caller's transaction. */
import {
  type AuditLimits,
  type AuditPage,
  type AuditQuery,
  type AuditResult,
  type AuditRow,
  auditLimit,
  maxDeletedEntries,
  maxDeliveriesLength,
  type NewAuditEntry,
  sessionActions,
  toAuditPage,
  toAuditRow,
} from '../../inbox/audit-log.ts'
import type { Connection } from '../connection/connection.ts'

/** Writes the entry of an action, or adds the result to the entry with the same key. */
export function recordAction(connection: Connection, entry: NewAuditEntry, result: AuditResult): void {
  connection.run(upsertEntry, ...toAuditRow(entry, result))
}

/** Does the same for an operation that has an entry, if it has changed something. */
export function recordChange(connection: Connection, entry: NewAuditEntry | undefined, result: AuditResult): void {
  if (entry && result.count > 0) recordAction(connection, entry, result)
}

export function auditEntries(connection: Connection, query: AuditQuery): AuditPage {
  const { action = null, access = null, person = null, before = Number.MAX_SAFE_INTEGER } = query
  const limit = auditLimit(query)
  const conditions = [before, action, action, access, access, person, person] as const
  return toAuditPage(connection.all<AuditRow>(selectEntries, ...conditions, limit + 1), limit)
}

/** Deletes one batch of entries that exceed the limits. @returns whether further entries may exceed them. */
export function deleteOldEntries(connection: Connection, limits: AuditLimits, now: number): boolean {
  const deleted = [
    connection.run(deleteOld, now - limits.auditRetention),
    connection.run(deleteExcess('not in'), limits.auditEntries),
    connection.run(deleteExcess('in'), limits.auditEntries),
  ]
  return deleted.some((count) => count === maxDeletedEntries)
}

const upsertEntry = `
  insert into audit_log (key, at, action, access, person, address, target, deliveries, count)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?)
  on conflict (key) do update
  set count = count + excluded.count,
      deliveries = case
        when length(deliveries) > ${maxDeliveriesLength} then deliveries
        else deliveries || ',' || excluded.deliveries
      end`

const selectEntries = `
  select id, at, action, access, person, address, target, deliveries, count
  from audit_log
  where id < ? and (? is null or action = ?) and (? is null or access = ?) and (? is null or person = ?)
  order by id desc
  limit ?`

const deleteOld = `
  delete from audit_log where id in (select id from audit_log where at < ? order by at limit ${maxDeletedEntries})`

const deleteExcess = (condition: 'in' | 'not in') => `
  delete from audit_log where id in (
    select id from audit_log
    where action ${condition} ${sessionActions}
      and id <= (
        select id from audit_log where action ${condition} ${sessionActions} order by id desc limit 1 offset ?
      )
    order by id
    limit ${maxDeletedEntries}
  )`

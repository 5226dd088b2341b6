/** The audit log. All writes run in the caller's transaction. */
import {
  type AuditLimits,
  type AuditPage,
  type AuditQuery,
  type AuditResult,
  type AuditRow,
  auditLimit,
  maxDeliveriesLength,
  type NewAuditEntry,
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

export function deleteOldEntries(connection: Connection, limits: AuditLimits, now: number): void {
  connection.run(deleteOld, now - limits.auditRetention)
  connection.run(deleteExcess, limits.auditEntries)
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

const deleteOld = 'delete from audit_log where at < ?'
const deleteExcess = `
  delete from audit_log where id <= (select id from audit_log order by id desc limit 1 offset ?)`

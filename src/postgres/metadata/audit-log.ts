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
import type { Sql } from '../connection/connection.ts'
import type { Transaction } from '../connection/database.ts'

/** Writes the entry of an action, or adds the result to the entry with the same key. */
export async function recordAction(transaction: Transaction, entry: NewAuditEntry, result: AuditResult): Promise<void> {
  await transaction.run(upsertEntry, ...toAuditRow(entry, result))
}

/** Does the same for an operation that has an entry, if it has changed something. */
export async function recordChange(
  transaction: Transaction,
  entry: NewAuditEntry | undefined,
  result: AuditResult,
): Promise<void> {
  if (entry && result.count > 0) await recordAction(transaction, entry, result)
}

export async function auditEntries(sql: Sql, query: AuditQuery): Promise<AuditPage> {
  const { action = null, access = null, person = null, before = Number.MAX_SAFE_INTEGER } = query
  const limit = auditLimit(query)
  return toAuditPage(await sql.all<AuditRow>(selectEntries, before, action, access, person, limit + 1), limit)
}

/** Deletes one batch of entries that exceed the limits. @returns whether further entries may exceed them. */
export async function deleteOldEntries(transaction: Transaction, limits: AuditLimits, now: number): Promise<boolean> {
  const deleted = [
    await transaction.run(deleteOld, now - limits.auditRetention),
    await transaction.run(deleteExcess('not in'), limits.auditEntries),
    await transaction.run(deleteExcess('in'), limits.auditEntries),
  ]
  return deleted.some((count) => count === maxDeletedEntries)
}

const upsertEntry = `
  insert into audit_log (key, at, action, access, person, address, target, deliveries, count)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
  on conflict (key) do update
  set count = audit_log.count + excluded.count,
      deliveries = case
        when length(audit_log.deliveries) > ${maxDeliveriesLength} then audit_log.deliveries
        else audit_log.deliveries || ',' || excluded.deliveries
      end`

const selectEntries = `
  select id, at, action, access, person, address, target, deliveries, count
  from audit_log
  where id < $1
    and ($2::text is null or action = $2) and ($3::text is null or access = $3) and ($4::text is null or person = $4)
  order by id desc
  limit $5`

const deleteOld = `
  delete from audit_log where id in (select id from audit_log where at < $1 order by at limit ${maxDeletedEntries})`

const deleteExcess = (condition: 'in' | 'not in') => `
  delete from audit_log where id in (
    select id from audit_log
    where action ${condition} ${sessionActions}
      and id <= (
        select id from audit_log where action ${condition} ${sessionActions} order by id desc limit 1 offset $1
      )
    order by id
    limit ${maxDeletedEntries}
  )`

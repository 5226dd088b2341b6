/** The actions of operators that changed something, and of sessions. */
import { clamp } from './query/paging.ts'

/** The actions that the audit log records. */
export const auditActions = [
  'retry',
  'discard',
  'pause',
  'resume',
  'send',
  'sign',
  'run schedule',
  'recover',
  'import',
  'login',
  'logout',
] as const
/** An action that the audit log records. */
export type AuditAction = (typeof auditActions)[number]

/** The kinds of access of operators. */
export const auditAccess = ['token', 'read-only token', 'github', 'command line'] as const
/** What gave an operator access: a token, an account on GitHub, or a command that opened the database. */
export type AuditAccess = (typeof auditAccess)[number]

/** The operator of an action. */
export interface Actor {
  /** The kind of access that the operator has. */
  access: AuditAccess
  /** The login on GitHub, or the user of the operating system. A token has no name. */
  person?: string | undefined
  /** The address of the client of the admin API. */
  address?: string | undefined
}

/** What an operator chose to change. Contains no payload. */
export interface AuditTarget {
  /** The search that selected the deliveries. */
  search?: string | undefined
  /** The handler; `*` for all handlers. */
  handler?: string | undefined
  /** The id of the failure group. */
  failureGroup?: number | undefined
  /** The name of the schedule. */
  schedule?: string | undefined
  /** The event of a sent delivery. */
  event?: string | undefined
  /** The webhooks of a sweep. */
  webhooks?: readonly string[] | undefined
  /** The reason of a discard. */
  reason?: string | undefined
}

/** The members of an entry that are known before the action. */
export interface NewAuditEntry extends Actor {
  /** Identifies the entry. An action with several transactions has one entry: each transaction adds to it. */
  key: string
  /** When the action began, in milliseconds since 1970. */
  at: number
  /** The kind of the action. */
  action: AuditAction
  /** The deliveries, handlers or webhooks that the action was for. */
  target: AuditTarget
}

/** The changes of a transaction of an action. */
export interface AuditResult {
  /**
   * How many deliveries were changed or stored; for a failure group, how many tasks; for a sweep, how many missed
   * deliveries were requested or received. Otherwise 1, to which each further login or logout of the hour adds.
   */
  count: number
  /** The deliveries that were changed or stored. */
  deliveries?: readonly number[] | undefined
}

/** An entry of the audit log. Without a key: who knows the key of an entry could add to it. */
export interface AuditEntry extends Omit<NewAuditEntry, 'key'> {
  /** Increases with each entry. */
  id: number
  /** The sum of all transactions of the action. See `AuditResult`. */
  count: number
  /** The first deliveries that were changed or stored: at most {@link maxAuditDeliveries}. */
  deliveries: number[]
}

/** The page of entries to return, and conditions that all of them must meet. */
export interface AuditQuery {
  /** Only entries of this action. */
  action?: AuditAction | undefined
  /** Only entries of operators with this kind of access. */
  access?: AuditAccess | undefined
  /** Only entries of this login, or this user of the operating system. */
  person?: string | undefined
  /** Only entries with a smaller id than this. For the next page, `next` of the previous page. */
  before?: number | undefined
  /** Maximum entries in a page: 1 to 500. Default: 50. */
  limit?: number | undefined
}

/** Entries, the newest first. */
export interface AuditPage {
  /** At most `limit` of the query. */
  entries: AuditEntry[]
  /** `before` of the query for the next page. Missing on the last page. */
  next?: number | undefined
}

/**
 * The audit log. Operations with an entry as their last argument write it in their own transactions, and only if they
 * change something. So the log has no entry of an action that failed.
 */
export interface AuditLog {
  /** Writes the entry of an action that has ended. If an entry has the same key, adds the result to it. */
  recordAction(entry: NewAuditEntry, result: AuditResult): Promise<void>
  /** Returns a page of the entries that meet all conditions, newest first. */
  auditEntries(query: AuditQuery): Promise<AuditPage>
}

/** The number of deliveries of an entry that are listed. */
export const maxAuditDeliveries = 100

/** Which entries a store keeps. */
export interface AuditLimits {
  /** Milliseconds. */
  auditRetention: number
  /**
   * The number of changes, and the number of logins and logouts. Visitors who may only read also log in. So the two are
   * counted separately: logins never displace a change.
   */
  auditEntries: number
}

/** The actions that change nothing, as a list in SQL. */
export const sessionActions = "('login', 'logout')"

/** Entries that one transaction deletes for one reason, so that other writers do not wait for long. */
export const maxDeletedEntries = 1000

/** A row of the table `audit_log`, as both stores have it. */
export interface AuditRow {
  id: number
  at: number
  action: AuditAction
  access: AuditAccess
  person: string | null
  address: string | null
  /** JSON. */
  target: string
  /** Ids, separated by commas. */
  deliveries: string
  count: number
}

/** The values of a new row, in the order of the columns, without the id. */
export function toAuditRow(entry: NewAuditEntry, result: AuditResult): (string | number | null)[] {
  const { key, at, action, access, person = null, address = null, target } = entry
  const deliveries = (result.deliveries ?? []).slice(0, maxAuditDeliveries).join(',')
  return [key, at, action, access, person, address, JSON.stringify(target), deliveries, result.count]
}

/** Characters of `deliveries` above which a transaction adds none: there are then about as many as are listed. */
export const maxDeliveriesLength: number = 8 * maxAuditDeliveries

/** @param rows The rows of the page, and the row after it if there is one. */
export function toAuditPage(rows: readonly AuditRow[], limit: number): AuditPage {
  const entries = rows.slice(0, limit).map(toAuditEntry)
  return { entries, next: rows.length > limit ? entries.at(-1)?.id : undefined }
}

function toAuditEntry({ person, address, target, deliveries, ...row }: AuditRow): AuditEntry {
  const ids = deliveries.split(',').filter((id) => id !== '')
  return {
    ...{ ...row, person: person ?? undefined, address: address ?? undefined },
    target: JSON.parse(target) as AuditTarget,
    deliveries: ids.slice(0, maxAuditDeliveries).map(Number),
  }
}

/** The number of entries in a page. */
export function auditLimit({ limit }: AuditQuery): number {
  return clamp(limit, 50, 500)
}

/** The answers about operators: the audit log, sessions and logins. */
import type * as v from 'valibot'
import { auditAccess, auditActions } from '../../../inbox/audit-log.ts'
import { described } from '../../schema.ts'
import { count, cursor, flag, list, object, optional, readonlyTexts, text, timestamp, word } from './parts.ts'

export const AuditEntry = object({
  id: count('The id of the entry'),
  at: timestamp('When the action began'),
  action: word(auditActions, 'The kind of the action'),
  access: word(auditAccess, 'The kind of access; command line: a command that opened the database itself'),
  person: optional(text('The login on GitHub; for a command, the user of the operating system. Absent for a token')),
  address: optional(text('The address of the client of the API')),
  target: described(
    object({
      search: optional(text('The search that selected the deliveries')),
      handler: optional(text('The handler; * for all handlers')),
      failureGroup: optional(count('The id of the failure group')),
      schedule: optional(text('The name of the schedule')),
      event: optional(text('The event of a sent delivery')),
      webhooks: optional(readonlyTexts('The webhooks of a recovery sweep, such as acme/shop#7')),
      reason: optional(text('The reason of a discard')),
    }),
    'The target of the action',
  ),
  count: count(
    'Deliveries that were changed or sent; tasks, for a failure group; missed deliveries that were requested or received, for a sweep; otherwise 1, plus one for each further login or logout of the hour',
  ),
  deliveries: list(count('The id of a delivery'), 'The ids of the first 100 deliveries that were changed or sent'),
})
export type AuditEntry = v.InferOutput<typeof AuditEntry>

export const AuditLog = object({
  entries: list(AuditEntry, 'The entries of this page, newest first'),
  next: optional(cursor),
})
export type AuditLog = v.InferOutput<typeof AuditLog>

export const Session = object({
  readOnly: flag('Whether the token or session may only read'),
  expiresAt: optional(timestamp('When the session ends. Absent for a token, which does not expire')),
  person: optional(text('The login on GitHub, after a login with GitHub')),
})
export type Session = v.InferOutput<typeof Session>

export const LoginMethods = object({ github: flag('Whether users may log in with GitHub') })
export type LoginMethods = v.InferOutput<typeof LoginMethods>

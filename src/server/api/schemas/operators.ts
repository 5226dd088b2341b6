/** The answers about operators: the audit log, sessions and logins. */
import * as v from 'valibot'
import { auditAccess, auditActions } from '../../../inbox/audit-log.ts'

// Not destructured: a bundler would keep all of valibot.
const object = v.object
const list = v.array
const optional = v.optional

const text = v.string()
const flag = v.boolean()
const timestamp = v.pipe(v.number(), v.integer(), v.description('Milliseconds since 1970'))
const count = v.pipe(v.number(), v.integer(), v.minValue(0))

export const AuditEntry = object({
  id: count,
  at: v.pipe(v.number(), v.integer(), v.description('When the action began, in milliseconds since 1970')),
  action: v.picklist(auditActions),
  access: v.picklist(auditAccess),
  person: optional(v.pipe(text, v.description('The login on GitHub; the user of the operating system, for a command'))),
  address: optional(text),
  target: object({
    search: optional(text),
    handler: optional(text),
    failureGroup: optional(count),
    schedule: optional(text),
    event: optional(text),
    webhooks: optional(v.pipe(list(text), v.readonly())),
    reason: optional(text),
  }),
  count: v.pipe(count, v.description('Deliveries that were changed; tasks, for a failure group')),
  deliveries: v.pipe(list(count), v.description('The first 100 deliveries that were changed')),
})
export type AuditEntry = v.InferOutput<typeof AuditEntry>

export const AuditLog = object({
  entries: list(AuditEntry),
  next: optional(v.pipe(text, v.description('The parameter cursor of the next page'))),
})
export type AuditLog = v.InferOutput<typeof AuditLog>

export const Session = object({
  readOnly: flag,
  expiresAt: optional(timestamp),
  person: optional(v.pipe(text, v.description('The login on GitHub'))),
})
export type Session = v.InferOutput<typeof Session>

export const LoginMethods = object({ github: flag })
export type LoginMethods = v.InferOutput<typeof LoginMethods>

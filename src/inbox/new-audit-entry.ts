import { createHash, randomUUID } from 'node:crypto'
import type { Actor, AuditAction, AuditTarget, NewAuditEntry } from './audit-log.ts'
import { hour } from './counts.ts'

/** Maximum characters of a text in an entry, and the maximum number of webhooks. */
const [maxText, maxWebhooks] = [1000, 100]

/**
 * An entry for the audit log.
 * @param operationId Requests of one operator with the same id, action and target become one entry, if they begin in the
 *   same hour. The limit keeps a client from hiding many actions behind one time. Default: one entry for each call.
 */
export function newAuditEntry(
  { access, person, address }: Actor,
  action: AuditAction,
  target: AuditTarget = {},
  operationId: string = randomUUID(),
  now: number = Date.now(),
): NewAuditEntry {
  const bounded = boundedTarget(target)
  const identity = [operationId, Math.floor(now / hour), access, person, action, bounded]
  const key = createHash('sha256').update(JSON.stringify(identity)).digest('base64url')
  return { key, at: now, action, target: bounded, access, person: person && shortened(person), address }
}

function boundedTarget(target: AuditTarget): AuditTarget {
  const entries = Object.entries(target).filter(([, value]) => value !== undefined)
  return Object.fromEntries(
    entries.map(([name, value]: [string, unknown]) => {
      if (Array.isArray(value)) return [name, value.slice(0, maxWebhooks).map(String).map(shortened)]
      return [name, typeof value === 'string' ? shortened(value) : value]
    }),
  )
}

const shortened = (text: string): string =>
  text.length > maxText ? `${text.slice(0, maxText - 1).toWellFormed()}…` : text

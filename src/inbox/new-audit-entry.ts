import { createHash, randomUUID } from 'node:crypto'
import { hour } from '../runtime/units.ts'
import type { FullLogger } from '../telemetry/logger.ts'
import type { Actor, AuditAction, AuditLog, AuditResult, AuditTarget, NewAuditEntry } from './audit-log.ts'

/** Maximum characters of a text in an entry, and the maximum number of webhooks. */
const [maxText, maxWebhooks] = [1000, 100]

/**
 * An entry for the audit log.
 * @param operationId Requests of one operator and address with the same id, action and target become one entry, if they
 *   begin in the same hour. The limit keeps a client from hiding many actions behind one time. Default: logins have one
 *   id, and so do logouts, because any visitor can repeat them; each other call has an id of its own.
 */
export function newAuditEntry(
  { access, person, address }: Actor,
  action: AuditAction,
  target: AuditTarget = {},
  operationId: string = action === 'login' || action === 'logout' ? action : randomUUID(),
  now: number = Date.now(),
): NewAuditEntry {
  const bounded = boundedTarget(target)
  const identity = [operationId, Math.floor(now / hour), access, person, address, action, bounded]
  const key = createHash('sha256').update(JSON.stringify(identity)).digest('base64url')
  const actor = { access, person: person && shortened(person), address: address && shortened(address) }
  return { key, at: now, action, target: bounded, ...actor }
}

/**
 * Writes the entry of an action that has taken effect. If the inbox cannot write it, the log of the process gets the
 * entry: a client that got an error would repeat the action.
 */
export async function recordOrLog(
  { inbox, logger }: { inbox: Pick<AuditLog, 'recordAction'>; logger: Pick<FullLogger, 'error'> },
  entry: NewAuditEntry,
  result: AuditResult,
): Promise<void> {
  try {
    await inbox.recordAction(entry, result)
  } catch (error) {
    const { key: _, ...what } = entry
    logger.error({ err: error, ...what, ...result }, `The audit log lacks an entry: ${entry.action}`)
  }
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

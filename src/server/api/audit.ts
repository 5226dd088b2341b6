/** The audit log: the route that lists it, and the functions with which other routes write it. */
import type { Context } from 'hono'
import type { AuditAction, AuditResult, AuditTarget, NewAuditEntry } from '../../inbox/audit-log.ts'
import { newAuditEntry, recordOrLog } from '../../inbox/new-audit-entry.ts'
import { actorOf } from '../auth/guard.ts'
import { cursorBefore } from './cursor.ts'
import { type ApiContext, type Route, route } from './route.ts'
import { AuditQuery } from './schemas/requests.ts'

export const auditLog = ({ inbox }: ApiContext): Route =>
  route({
    method: 'get',
    path: '/audit',
    operationId: 'listAuditEntries',
    summary: 'List what operators changed, the newest entries first',
    query: AuditQuery,
    answer: 'AuditLog',
    async handle({ query: { cursor, ...query } }) {
      const { entries, next } = await inbox.auditEntries({ ...query, before: cursor })
      return { entries, next: next === undefined ? undefined : cursorBefore(next) }
    },
  })

/** The entry of an operation of the inbox, which writes it in its own transactions. */
export const entryOf = (
  context: Context,
  action: AuditAction,
  target?: AuditTarget,
  operationId?: string | undefined,
): NewAuditEntry => newAuditEntry(actorOf(context), action, target, operationId)

/** Writes the entry of an action that has taken effect, and that is no operation of the inbox. Never fails. */
export async function record(
  api: Pick<ApiContext, 'inbox' | 'logger'>,
  context: Context,
  action: AuditAction,
  { target, ...result }: AuditResult & { target?: AuditTarget },
): Promise<void> {
  await recordOrLog(api, entryOf(context, action, target), result)
}

/** Writes an operator's action to the log of the server. */
export function logAction(
  { logger }: Pick<ApiContext, 'logger'>,
  context: Context,
  action: { act: string; what: unknown; count?: number; reason?: string | undefined },
): void {
  logger.info({ ...action, ...actorOf(context) }, `Operator action: ${action.act}`)
}

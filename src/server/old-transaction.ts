import type { Client } from 'pg'
import type { Store } from '../inbox/inbox.ts'
import type { OldTransaction } from '../inbox/records.ts'
import { minute } from '../runtime/units.ts'
import type { FullLogger } from '../telemetry/logger.ts'

/** Milliseconds between two checks, and the minimum between two log messages. */
const [checkInterval, logInterval] = [minute, 10 * minute]

/** What an old transaction causes, and what to do. */
export function describeOldTransaction({ pid, user, application, age }: OldTransaction): [string, string] {
  const client = [application, user && `user ${user}`].filter(Boolean).join(', ')
  const open = `has been open for ${Math.max(1, Math.floor(age / minute))} min`
  return [
    `The transaction of process ${pid} of PostgreSQL (${client}) ${open}: PostgreSQL cannot remove rows that were deleted since then, and the inbox gets slower`,
    endTransaction(pid),
  ]
}

export const endTransaction = (pid: number): string => `end it: select pg_terminate_backend(${pid})`

/**
 * The oldest transaction in the database of a client, if it has been open for `minAge` milliseconds. Loads `pg`.
 * Default: a minute.
 */
export async function findOldTransaction(client: Client, minAge?: number): Promise<OldTransaction | undefined> {
  const { oldTransaction } = await import('../postgres/metadata/statistics.ts')
  return oldTransaction({ get: async (sql, ...values) => (await client.query(sql, values)).rows[0] }, minAge)
}

/**
 * Looks for an old transaction once a minute, and logs a warning at most once in ten minutes.
 * @returns A function that ends the checks.
 */
export function logOldTransactions(inbox: Pick<Store, 'oldTransaction'>, logger: Pick<FullLogger, 'warn'>): () => void {
  let loggedAt = Number.NEGATIVE_INFINITY
  const check = async (): Promise<void> => {
    const oldTransaction = await inbox.oldTransaction?.()
    if (!oldTransaction || performance.now() - loggedAt < logInterval) return
    loggedAt = performance.now()
    const [message, cure] = describeOldTransaction(oldTransaction)
    logger.warn({ ...oldTransaction }, `${message}: ${cure}`)
  }
  // Other calls to the inbox report its errors.
  const timer = setInterval(() => void check().catch(() => undefined), checkInterval).unref()
  return () => clearInterval(timer)
}

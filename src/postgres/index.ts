import type { Inbox } from '../inbox/inbox.ts'
import { Database } from './database.ts'
import { PostgresInbox } from './inbox.ts'
import { prepareDatabase } from './open.ts'
import { type PoolLike, type PostgresOptions, resolvePostgresOptions, toTarget } from './options.ts'

export type { PoolLike, PostgresOptions } from './options.ts'

/**
 * An inbox in PostgreSQL, for any number of machines: `new Hooks({ inbox: postgres(process.env.DATABASE_URL) })`. A
 * delivery that is answered 2xx is committed and flushed to disk, whatever the defaults of the database are. The inbox
 * connects, and creates its tables, when it is first used.
 * @param target `postgres://user:password@host:port/database?sslmode=…`; or a pool of `pg`, whose settings are used. The
 * inbox has connections of its own, so that the rest of the application cannot use them up.
 * @throws {TypeError} naming the invalid argument.
 */
export function postgres(target: string | PoolLike, options: PostgresOptions = {}): Inbox {
  return new PostgresInbox(toTarget(target), resolvePostgresOptions(options))
}

/**
 * Creates the tables of an inbox or migrates them, for applications that may not do so themselves and set
 * `migrate: false`. Running programs of the previous version keep working.
 * @returns the number of migrations that ran.
 * @throws {Error} naming the cure.
 */
export async function migratePostgres(
  target: string | PoolLike,
  options: PostgresOptions = {},
): Promise<{ taken: number }> {
  const settings = resolvePostgresOptions(options)
  const database = new Database(toTarget(target), settings, { max: 1, name: 'migrate' })
  try {
    return { taken: await prepareDatabase(database, settings) }
  } finally {
    await database.close()
  }
}

import { setTimeout } from 'node:timers/promises'
import { optionOrFlag } from '../../runtime/option-or-flag.ts'
import { resetIfMoved } from '../delivery-reader/changes.ts'
import { checkVersion, type Migration, migrate, migrations, newestVersion, schemaVersion } from '../migrations.ts'
import type { PostgresSettings } from '../options.ts'
import { codeOf, encodingProblem, lockNotAvailable } from './connection.ts'
import type { Database, Transaction } from './database.ts'

/**
 * Milliseconds that a migration waits for the lock of a table. Short, because later statements on the table wait behind
 * the migration.
 */
const lockTimeout = 2000

/** Maximum attempts to acquire the locks of a migration, and milliseconds between two attempts. */
const [maxTries, retryDelay] = [15, 1000]

/**
 * Creates or migrates the tables. If several programs start at the same time, one migrates and the others wait for it
 * without a time limit. @returns the number of migrations that ran.
 * @throws {Error} if the tables cannot be created or migrated.
 */
export async function prepareDatabase(
  database: Database,
  { schema }: PostgresSettings,
  steps: readonly Migration[] = migrations,
): Promise<number> {
  for (let tries = 1; ; ) {
    try {
      const taken = await database.transaction((transaction) => runStepsAlone(transaction, schema, steps))
      if (taken !== undefined) return taken
    } catch (error) {
      if (codeOf(error) !== lockNotAvailable || tries++ >= maxTries) throw error
    }
    await setTimeout(retryDelay)
  }
}

/** @returns `undefined` while another process migrates. */
async function runStepsAlone(
  transaction: Transaction,
  schema: string,
  steps: readonly Migration[],
): Promise<number | undefined> {
  if (!(await transaction.get<{ own: boolean }>(tryLock, `hookserver migrates ${schema}`))?.own) return undefined
  await checkEncoding(transaction)
  await transaction.script(`${withoutTimeLimits}; set local lock_timeout to ${lockTimeout}`)
  const exists = await transaction.get('select 1 from pg_namespace where nspname = $1', schema)
  if (!exists) await transaction.script(`create schema "${schema}"`)
  const taken = await migrate(transaction, steps)
  await resetIfMoved(transaction)
  return taken
}

/** @throws {Error} if the tables are missing, too old, or too new for this program. */
export async function checkDatabase(database: Database, { schema }: PostgresSettings): Promise<void> {
  await database.transaction(async (transaction) => {
    await checkEncoding(transaction)
    const cure = `run "hookserver migrate", or leave out ${optionOrFlag('the option "migrate"', '--database-migrate false')}`
    const current = await schemaVersion(transaction)
    if (current.version === 0) {
      await checkUsage(transaction, schema)
      throw new Error(`there are no tables in the schema ${schema}: ${cure}`)
    }
    if (current.version < newestVersion()) throw new Error(`an older hookserver created its tables: ${cure}`)
    checkVersion(current)
    await resetIfMoved(transaction)
  })
}

/** PostgreSQL hides the tables of a schema that the user may not use. @throws {Error} if this is such a schema. */
async function checkUsage(transaction: Transaction, schema: string): Promise<void> {
  const row = await transaction.get<{ user: string }>(selectWithoutUsage, schema)
  if (!row) return
  throw new Error(
    `the user ${row.user} may not use the schema ${schema}: grant usage on schema ${schema} to "${row.user}", and the rights on its tables`,
  )
}

/** @throws {Error} if the database cannot store every character of a payload. */
async function checkEncoding(transaction: Transaction): Promise<void> {
  const row = await transaction.get<{ encoding: string }>("select current_setting('server_encoding') as encoding")
  const problem = row && encodingProblem(row.encoding)
  if (problem) throw new Error(problem.join(': '))
}

const selectWithoutUsage = `
  select current_user as user from pg_namespace where nspname = $1 and not has_schema_privilege(oid, 'usage')`

/** PostgreSQL before version 17 does not have `transaction_timeout`. */
const withoutTimeLimits = `
  set local statement_timeout to 0;
  select set_config('transaction_timeout', '0', true) where current_setting('transaction_timeout', true) is not null`

const tryLock = 'select pg_try_advisory_xact_lock(hashtextextended($1, 0)) as own'

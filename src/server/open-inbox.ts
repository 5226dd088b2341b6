import type { Client } from 'pg'
import type { Store } from '../inbox/inbox.ts'
import { ownConnections, type PostgresOptions, resolvePostgresOptions } from '../postgres/options.ts'
import { isMissingPackage } from '../runtime/platform.ts'
import { sleep } from '../runtime/timer.ts'
import type { Duration } from '../runtime/units.ts'
import { schemaVersion } from '../sqlite/connection/open.ts'
import { sqlite } from '../sqlite/index.ts'
import { newestVersion } from '../sqlite/migrations.ts'
import type { FullLogger } from '../telemetry/logger.ts'
import { checkDatabase } from './config/conflicts.ts'
import { isFile } from './config/database-settings.ts'
import type { Config } from './config/resolve-config.ts'
import { explained, isTemporary } from './database-errors.ts'

export type DatabaseConfig = Pick<Config, 'database' | 'databaseSchema'>

/** The inbox of a server. */
export interface OpenedInbox {
  inbox: Store
  /**
   * Waits for a database that could not be reached yet: tries again every `retryMs`, and logs each new reason. Resolves
   * also when the signal aborts. `undefined` if the database is available.
   */
  untilAvailable: ((signal: AbortSignal) => Promise<void>) | undefined
}

/** Milliseconds between two attempts to reach a database. */
const retryMs = 2000

/** @throws {ConfigError} for settings that do not apply to this database. @throws {Error} that says what to do. */
export async function openInbox(config: Config, logger: FullLogger): Promise<OpenedInbox> {
  checkDatabase(config)
  const { database, databaseConnections: connections, databaseMigrate: migrate, maxSize } = config
  const kept = {
    retention: inMilliseconds(config.retention.value),
    auditRetention: inMilliseconds(config.auditRetention.value),
    auditEntries: config.auditEntries.value,
  }
  if (isFile(database.value)) {
    const inbox = sqlite(database.value, { ...kept, maxSize: maxSize.value })
    return { inbox, untilAvailable: undefined }
  }
  const options = { connections: connections.value, migrate: migrate.value, ...kept }
  let failure: Error | undefined
  const inbox = await openPostgres(config, options, (error) => {
    if (!isTemporary(error)) throw error
    failure = error
  })
  if (!failure) return { inbox, untilAvailable: undefined }
  logUnavailable(failure, logger)
  const { message } = failure
  return { inbox, untilAvailable: (signal) => untilAvailable({ inbox, config, logger, signal, logged: message }) }
}

/** As a text, because a store rejects a small number. The operator has written it with a unit. */
const inMilliseconds = (value: number | undefined): Duration | undefined =>
  value === undefined ? undefined : `${value}ms`

interface Waiting {
  inbox: Store
  config: DatabaseConfig
  logger: FullLogger
  signal: AbortSignal
  /** The reason that the log has already. */
  logged: string
}

async function untilAvailable({ inbox, config, logger, signal, logged: first }: Waiting): Promise<void> {
  let logged = first
  for (;;) {
    await sleep(retryMs, signal)
    if (signal.aborted) return
    try {
      await inbox.createdAt()
      return logger.info({}, 'Connected to PostgreSQL')
    } catch (cause) {
      if (signal.aborted) return
      const error = explained(cause as Error, config.database.value)
      if (error.message !== logged) logUnavailable(error, logger)
      logged = error.message
    }
  }
}

/** Without the stack, because no code is at fault. */
function logUnavailable({ message }: Error, logger: FullLogger): void {
  const until = 'Until then, it answers 503 to deliveries, and runs no handlers'
  logger.error({}, `Cannot use PostgreSQL yet: ${message}. The server tries again every ${retryMs / 1000} s. ${until}`)
}

/**
 * Opens the inbox for a command that runs beside a server: the inbox prunes nothing, and marks no tasks as gone. It
 * migrates tables in PostgreSQL only if `migrate` is set, because several machines may share them.
 */
export async function openPassively(
  config: DatabaseConfig,
  { migrate = false }: { migrate?: boolean } = {},
): Promise<Store> {
  const forever = Number.MAX_SAFE_INTEGER
  const never = { retention: forever, vanishAfter: forever, auditRetention: forever, auditEntries: forever }
  const { database } = config
  if (isFile(database.value)) return sqlite(database.value, never)
  return openPostgres(config, { ...never, migrate, connections: 5 }) // a command makes few calls at a time
}

/** The number of steps that would migrate a file to this version; `undefined` if it has no tables. Migrates nothing. */
export function stepsForFile(path: string): number | undefined {
  const version = schemaVersion(path)
  return version === 0 ? undefined : newestVersion() - version
}

/** The same for the tables in a schema of PostgreSQL, which becomes the `search_path` of the client. */
export async function stepsForTables(client: Client, schema: string): Promise<number | undefined> {
  const tables = await import('../postgres/migrations.ts')
  await client.query(`select set_config('search_path', quote_ident($1), false)`, [schema])
  const { version } = await tables.schemaVersion({ get: async (sql) => (await client.query(sql)).rows[0] })
  return version === 0 ? undefined : tables.newestVersion() - version
}

/** The maximum number of connections that a server opens to PostgreSQL. */
export function connectionsOf({ databaseConnections, role }: Config): number {
  const { connections } = resolvePostgresOptions({ connections: databaseConnections.value })
  const { always, working } = ownConnections
  return connections + always + (role.value === 'receiver' ? 0 : working)
}

export const schemaOf = ({ databaseSchema }: Pick<Config, 'databaseSchema'>): string =>
  resolvePostgresOptions({ schema: databaseSchema.value }).schema

/** Why an inbox cannot use a database with this encoding, and what to do. Loads `pg`. */
export async function encodingProblem(encoding: string): Promise<[problem: string, cure: string] | undefined> {
  return (await import('../postgres/connection/connection.ts')).encodingProblem(encoding)
}

/** @param onError Called if the first query fails. If it returns, the inbox stays open. Default: throws the error. */
async function openPostgres(
  { database, databaseSchema }: DatabaseConfig,
  options: PostgresOptions,
  onError = (error: Error): void => {
    throw error
  },
): Promise<Store> {
  const { postgres } = await loadPostgres()
  const inbox = postgres(database.value, { ...options, schema: databaseSchema.value })
  try {
    await inbox.createdAt().catch((cause: Error) => onError(explained(cause, database.value)))
    return inbox
  } catch (error) {
    await inbox.close()
    throw error
  }
}

/** Imports the PostgreSQL store when it is needed. @throws {Error} if its package is not installed. */
export async function loadPostgres(): Promise<typeof import('../postgres/index.ts')> {
  try {
    return await import('../postgres/index.ts')
  } catch (cause) {
    if (!isMissingPackage(cause)) throw cause
    throw new Error('An inbox on PostgreSQL needs the package "pg": run npm install pg', { cause })
  }
}

import type { Client } from 'pg'
import type { Store } from '../inbox/inbox.ts'
import { ownConnections, type PostgresOptions, resolvePostgresOptions } from '../postgres/options.ts'
import { causesOf } from '../runtime/cause-text.ts'
import { isMissingPackage } from '../runtime/platform.ts'
import { sleep } from '../runtime/timer.ts'
import type { Duration } from '../runtime/units.ts'
import { schemaVersion } from '../sqlite/connection/open.ts'
import { sqlite } from '../sqlite/index.ts'
import { newestVersion } from '../sqlite/migrations.ts'
import type { FullLogger } from '../telemetry/logger.ts'
import { checkDatabase } from './config/conflicts.ts'
import { isFile, shownDatabase } from './config/database-settings.ts'
import type { Config } from './config/resolve-config.ts'

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

/** An error that says which database failed, why and, if known, what to do. */
export function explained(cause: Error, database: string): Error {
  const cure = cureOf(cause)
  return new Error(`${shownDatabase(database)}: ${reasonOf(cause)}${cure ? `: ${cure}` : ''}`, { cause })
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

export const noAnswer = 'check that the host is running and that no firewall blocks the connection'
const certificate =
  'its certificate is signed by an unknown authority: add ?sslmode=verify-full&sslrootcert=/path/ca.pem to the URL'

/** What to do, by the error code of the system, TLS or PostgreSQL (PostgreSQL manual, appendix A). */
export const cures: Readonly<Record<string, string>> = {
  ECONNREFUSED:
    'no server listens there: start PostgreSQL, or correct the host and port; check listen_addresses in postgresql.conf',
  ECONNRESET:
    'the server closed the connection: check that this is the port of PostgreSQL, or of a proxy that can reach it',
  ENOENT: 'the socket or certificate does not exist: start PostgreSQL, or correct the path',
  ENOTFOUND: 'correct the host name',
  EAI_AGAIN: 'the host name cannot be resolved at the moment: try again, or fix the DNS',
  ETIMEDOUT: noAnswer,
  EHOSTUNREACH: 'there is no route to the host: check the network',
  ENETUNREACH: 'there is no route to the host: check the network',
  '25006':
    'the server is a standby or read-only: connect to the primary server, or set default_transaction_read_only to off',
  '28P01': 'correct the user or password, in the URL, in PGPASSWORD, or in the file of --database-url-file',
  '28000':
    'pg_hba.conf of the server does not allow this user or host; if it requires TLS, add ?sslmode=verify-full to the URL',
  '3D000': 'create the database with createdb, or correct its name in the URL',
  '42501': 'grant the permission, or use another user',
  '53300': 'lower --database-connections, or raise max_connections in PostgreSQL',
  '55P03': 'an open transaction holds a lock on a table: find its client in pg_stat_activity and end the transaction',
  '57P03': 'the server is starting or stopping: try again in a moment',
  DEPTH_ZERO_SELF_SIGNED_CERT: certificate,
  SELF_SIGNED_CERT_IN_CHAIN: certificate,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: certificate,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: certificate,
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host name: use that name in the URL',
  CERT_HAS_EXPIRED: 'its certificate has expired: renew the certificate',
}

/**
 * Errors that may be temporary: PostgreSQL is starting, the network or the DNS is down, or other programs have all
 * connections or a lock. `ENOTFOUND` is none of them, because it usually means a mistyped name.
 */
export const temporary: ReadonlySet<string> = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT'],
  ...['53300', '55P03', '57P03'],
])

export const isTemporary = (error: unknown): boolean => codesOf(error).some((code) => temporary.has(code))

/** What to do about an error of PostgreSQL or of the connection. `undefined` for an unknown error. */
export function cureOf(error: unknown): string | undefined {
  return codesOf(error)
    .map((code) => cures[code])
    .find((cure) => cure !== undefined)
}

/**
 * The message of the deepest cause, which is an error of PostgreSQL or the system. Without a message, its code: if a
 * host has several addresses and none can be reached, the error of Node.js has only a code.
 */
export function reasonOf(error: Error): string {
  const deepest = errorsOf(error).at(-1) ?? error
  return deepest.message || (deepest as { code?: string }).code || deepest.name
}

/** The codes of an error and all its causes. */
const codesOf = (error: unknown): string[] => errorsOf(error).map((one) => codeOf(one) ?? '')

/** `pg` sets no code if the server, or a proxy in front of it, closes the connection. */
function codeOf({ code, message }: Error & { code?: string }): string | undefined {
  return code === undefined && message === 'Connection terminated unexpectedly' ? 'ECONNRESET' : code
}

const errorsOf = (error: unknown): Error[] => causesOf(error).filter((one) => one instanceof Error)

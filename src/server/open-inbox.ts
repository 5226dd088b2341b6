import type { Inbox } from '../inbox/inbox.ts'
import { jobsSchema, ownConnections, type PostgresOptions, resolvePostgresOptions } from '../postgres/options.ts'
import { sqlite } from '../sqlite/index.ts'
import type { FullLogger } from '../telemetry/logger.ts'
import { checkDatabase } from './config/conflicts.ts'
import { isFile, shownDatabase } from './config/database-settings.ts'
import type { Config } from './config/resolve-config.ts'

export type DatabaseConfig = Pick<Config, 'database' | 'databaseSchema'>

/** @throws {ConfigError} for settings that this kind of database does not have. @throws {Error} that says what to do. */
export async function openInbox(config: Config, logger: FullLogger): Promise<Inbox> {
  checkDatabase(config)
  const { database, databaseConnections: connections, databaseMigrate: migrate, retention, maxSize } = config
  if (isFile(database.value)) return sqlite(database.value, { retention: retention.value, maxSize: maxSize.value })
  const options = { connections: connections.value, migrate: migrate.value, retention: retention.value }
  // A server that starts together with its database is often ready first. Until then /readyz and 503 say so.
  return openPostgres(config, options, (error) => {
    if (!isTemporary(error)) throw error
    logger.error({ err: error }, 'PostgreSQL is not there yet: until it is, deliveries are answered 503')
  })
}

/**
 * Opens the inbox for a command beside the server: it deletes nothing, takes no work from other workers, and does not
 * migrate tables that several machines share.
 */
export async function openPassively(
  config: DatabaseConfig,
  { migrate = false }: { migrate?: boolean } = {},
): Promise<Inbox> {
  const never = { retention: Number.MAX_SAFE_INTEGER, vanishAfter: Number.MAX_SAFE_INTEGER }
  const { database } = config
  if (isFile(database.value)) return sqlite(database.value, never)
  return openPostgres(config, { ...never, migrate, connections: 5 }) // a command does one thing after the other
}

/** The maximum number of connections of a server. */
export function connectionsOf({ databaseConnections, role }: Config): number {
  const { connections } = resolvePostgresOptions({ connections: databaseConnections.value })
  const { always, working } = ownConnections
  return connections + always + (role.value === 'receiver' ? 0 : working)
}

/** The schemas of our tables and of pg-boss's. */
export function schemasOf({ databaseSchema }: Pick<Config, 'databaseSchema'>): [own: string, jobs: string] {
  const { schema } = resolvePostgresOptions({ schema: databaseSchema.value })
  return [schema, jobsSchema(schema)]
}

/** @param onError Handles an error of the database. Default: throws it. */
async function openPostgres(
  { database, databaseSchema }: DatabaseConfig,
  options: PostgresOptions,
  onError = (error: Error): void => {
    throw error
  },
): Promise<Inbox> {
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

/** Says which database failed, why, and what to do. */
export function explained(cause: Error, database: string): Error {
  const cure = cureOf(cause)
  return new Error(`${shownDatabase(database)}: ${reasonOf(cause)}${cure ? `: ${cure}` : ''}`, { cause })
}

/** Imports the PostgreSQL store, only if it is used. @throws {Error} if its packages are not installed. */
export async function loadPostgres(): Promise<typeof import('../postgres/index.ts')> {
  try {
    return await import('../postgres/index.ts')
  } catch (cause) {
    if ((cause as { code?: string }).code !== 'ERR_MODULE_NOT_FOUND') throw cause
    const text = 'An inbox on Postgres needs the packages "pg" and "pg-boss" beside hookserver: npm install pg pg-boss'
    throw new Error(text, { cause })
  }
}

export const noAnswer = 'a firewall may be in between, or the host is off'
const certificate =
  'an unknown authority has signed its certificate: name it, ?sslmode=verify-full&sslrootcert=/path/ca.pem'

/** What to do, by the error codes of the system, of TLS and of PostgreSQL (its manual, appendix A). */
export const cures: Readonly<Record<string, string>> = {
  ECONNREFUSED:
    'no server listens there: start PostgreSQL, or correct host and port; listen_addresses says where it listens',
  ECONNRESET: 'it closed the connection: is that the port of PostgreSQL?',
  ENOENT: 'there is no such socket: start PostgreSQL, or correct the folder; of a certificate, correct its path',
  ENOTFOUND: 'correct the name of the host',
  EAI_AGAIN: 'the name of the host cannot be resolved now: try again, or repair the DNS',
  ETIMEDOUT: noAnswer,
  EHOSTUNREACH: 'there is no route to that host from here',
  ENETUNREACH: 'there is no route to that host from here',
  '28P01': 'correct user and password: in the address, in PGPASSWORD, or in a file with --database-url-file',
  '28000':
    'pg_hba.conf of the server does not allow this user from here; if it requires TLS, add ?sslmode=verify-full to the address',
  '3D000': 'create it: createdb; or correct the name at the end of the address',
  '42501': 'grant it, or use another user',
  '53300': 'use fewer with --database-connections, or allow more in PostgreSQL (max_connections)',
  '55P03': 'an open transaction holds a lock on a table: end it; pg_stat_activity shows its client',
  '57P03': 'it is starting or stopping: try again in a moment',
  DEPTH_ZERO_SELF_SIGNED_CERT: certificate,
  SELF_SIGNED_CERT_IN_CHAIN: certificate,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: certificate,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: certificate,
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name: use that in the address',
  CERT_HAS_EXPIRED: 'its certificate has expired: renew it',
}

/** Errors that may end without an operator: PostgreSQL is starting, or the network or the DNS is down. */
export const temporary: ReadonlySet<string> = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT'],
  '57P03',
])

export const isTemporary = (error: unknown): boolean => codesOf(error).some((code) => temporary.has(code))

/** What to do about an error of PostgreSQL or of the connection to it, if we know. */
export function cureOf(error: unknown): string | undefined {
  return codesOf(error)
    .map((code) => cures[code])
    .find((cure) => cure !== undefined)
}

/** The message of PostgreSQL or the system. An error for several addresses has no message, but a code. */
export function reasonOf(error: Error): string {
  let deepest = error
  while (deepest.cause instanceof Error) deepest = deepest.cause
  return deepest.message || (deepest as { code?: string }).code || deepest.name
}

/** The codes of an error and all its causes. */
function codesOf(error: unknown): string[] {
  const codes: string[] = []
  for (let one = error; one instanceof Error; one = one.cause) codes.push((one as { code?: string }).code ?? '')
  return codes
}

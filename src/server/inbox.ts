import type { Inbox } from '../inbox/inbox.ts'
import { jobsSchema, ownConnections, type PostgresOptions, resolvePostgresOptions } from '../postgres/options.ts'
import { sqlite } from '../sqlite/index.ts'
import type { FullLogger } from '../telemetry/logger.ts'
import { type Config, ConfigError } from './config.ts'
import { loadPostgres } from './load-postgres.ts'
import { cureOf, isPassing, reasonOf } from './postgres-cures.ts'
import { isFile, shownDatabase } from './settings/database.ts'

/** Which database, and where in it. */
export type DatabaseConfig = Pick<Config, 'database' | 'databaseSchema'>

/**
 * Opens what `--database` names.
 * @throws {ConfigError} for settings that it does not have.
 * @throws {Error} naming the cure.
 */
export async function openInbox(config: Config, logger: FullLogger): Promise<Inbox> {
  checkKind(config)
  const { database, databaseConnections: connections, databaseMigrate: migrate, retention, maxSize } = config
  if (isFile(database.value)) return sqlite(database.value, { retention: retention.value, maxSize: maxSize.value })
  const options = { connections: connections.value, migrate: migrate.value, retention: retention.value }
  // A server that starts together with its database is there first, and says so itself: /readyz, and 503.
  return openPostgres(config, options, (error) => {
    if (isPassing(error))
      logger.error({ err: error }, 'PostgreSQL is not there yet: until it is, deliveries are answered 503')
    else throw error
  })
}

/**
 * The same for whoever only looks: what is kept for how long is up to the server, nothing is given up or deleted, and
 * tables that many machines share are left as they are.
 */
export async function openToLook(
  config: DatabaseConfig,
  { migrate = false }: { migrate?: boolean } = {},
): Promise<Inbox> {
  const never = { retention: Number.MAX_SAFE_INTEGER, vanishAfter: Number.MAX_SAFE_INTEGER }
  const { database } = config
  if (isFile(database.value)) return sqlite(database.value, never)
  return openPostgres(config, { ...never, migrate, connections: fewConnections })
}

/** The connections that a server may have. */
export function connectionsOf({ databaseConnections, role }: Config): number {
  const { connections } = resolvePostgresOptions({ connections: databaseConnections.value })
  const { always, working } = ownConnections
  return connections + always + (role.value === 'receiver' ? 0 : working)
}

/** What its tables are in, and those of pg-boss. */
export function schemasOf({ databaseSchema }: Pick<Config, 'databaseSchema'>): [own: string, jobs: string] {
  const { schema } = resolvePostgresOptions({ schema: databaseSchema.value })
  return [schema, jobsSchema(schema)]
}

/** Enough for one who does one thing after the other. */
const fewConnections = 5

/** @param onError Decides about what keeps it from being opened, which is thrown otherwise. */
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

/** Which database, what it says, and what to do about it. */
export function explained(cause: Error, database: string): Error {
  const cure = cureOf(cause)
  return new Error(`${shownDatabase(database)}: ${reasonOf(cause)}${cure ? `: ${cure}` : ''}`, { cause })
}

/** A limit that nobody keeps must not be taken for one. */
function checkKind(config: Config): void {
  const inFile = isFile(config.database.value)
  const strange = inFile
    ? (['databaseSchema', 'databaseConnections', 'databaseMigrate'] as const)
    : (['maxSize'] as const)
  const problems = strange.flatMap((name) => (config[name].source === undefined ? [] : [config[name].source]))
  if (problems.length === 0) return
  const why = inFile
    ? 'only a PostgreSQL has this, and the inbox is a file: leave it out, or name an address with --database'
    : 'only a file has a largest size, and the inbox is on PostgreSQL: leave it out; --retention bounds what is kept'
  throw new ConfigError(problems.map((source) => `${source}: ${why}`))
}

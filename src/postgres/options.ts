import { storeChecks, storeDefaults } from '../inbox/store-options.ts'
import { type Check, checkOptions, isOneOf, isWhole, must } from '../runtime/check-options.ts'
import { maxTimer } from '../runtime/timer.ts'
import { type Duration, durationCheck, toMilliseconds } from '../runtime/units.ts'

/** Options of `postgres(target, options)`. */
export interface PostgresOptions {
  /**
   * The schema of our tables: at most 50 lower-case letters, digits and underscores, not starting with a digit or
   * `pg_`. Default: `hookserver`.
   */
  schema?: string | undefined
  /**
   * Maximum connections of a process, 3 to 1000. A process that stores deliveries or runs handlers has up to three more
   * for maintenance. A process that runs handlers has one more for notifications. Default: 10.
   */
  connections?: number | undefined
  /**
   * Whether to create and migrate the tables at the first use. If `false`, run `hookserver migrate`. Default: `true`.
   */
  migrate?: boolean | undefined
  /**
   * Whether a process that runs no handlers also prunes, and takes over the tasks of dead workers. If `false`, it starts
   * no thread, and the processes that run handlers do this work. Default: `true`.
   */
  maintenance?: boolean | undefined
  /** How long to wait for a connection. Default: 5 s. */
  connectTimeout?: Duration | undefined
  /**
   * The time that a statement may take, and that it may wait for a lock. A server that does not answer
   * for this time plus `connectTimeout` counts as lost. Default: 30 s.
   */
  statementTimeout?: Duration | undefined
  /** How long an ended delivery is kept after its receipt. Default: 30 days. */
  retention?: Duration | undefined
  /**
   * The time between heartbeats, 60 s at most. A worker that has missed five of them counts as dead, and other
   * workers run its tasks again. Default: 2.5 s.
   */
  heartbeat?: Duration | undefined
  /**
   * The time after which a due task ends as `gone` if no worker has registered its handler in that time. Time in
   * which no worker runs at all does not count. Default: 24 hours.
   */
  vanishAfter?: Duration | undefined
  /** How long an entry of the audit log is kept. Default: 365 days. */
  auditRetention?: Duration | undefined
  /** Maximum entries of the audit log: the oldest are deleted first. Default: 100,000. */
  auditEntries?: number | undefined
}

export type PostgresSettings = Required<{
  [Name in keyof PostgresOptions]: Exclude<PostgresOptions[Name], undefined> extends Duration
    ? number
    : Exclude<PostgresOptions[Name], undefined>
}>

const defaults: PostgresSettings = {
  schema: 'hookserver',
  connections: 10,
  migrate: true,
  maintenance: true,
  connectTimeout: 5000,
  statementTimeout: 30_000,
  heartbeat: 2500,
  ...storeDefaults,
}

/**
 * A process that stores deliveries or runs handlers may open these connections in addition to those that the option
 * `connections` limits. `always`: two for maintenance, and one for heartbeats. `working`: one for notifications, if the
 * process runs handlers.
 */
export const ownConnections = { always: 3, working: 1 } as const

export const schemaNames =
  'a name of at most 50 lower-case letters, digits and underscores that does not begin with a digit or pg_'

/**
 * At most 50 characters, so that the name with a suffix does not exceed PostgreSQL's 63 bytes. Names that start with
 * `pg_` are reserved.
 */
export const isSchemaName = (name: string): boolean => /^(?!pg_)[a-z_][a-z0-9_]{0,49}$/.test(name)

export const [minConnections, maxConnections] = [3, 1000] as const

const checks: Record<keyof PostgresOptions, Check> = {
  ...storeChecks,
  schema: must((value) => isSchemaName(String(value)), schemaNames),
  connections: must(
    (value) => isWhole(value, minConnections, maxConnections),
    `a whole number of connections, ${minConnections} at least and ${maxConnections} at most`,
  ),
  migrate: isOneOf(true, false),
  maintenance: isOneOf(true, false),
  connectTimeout: durationCheck({ max: maxTimer }),
  statementTimeout: durationCheck({ max: maxTimer }),
}

/** @throws {TypeError} naming an option that is unknown or has an invalid value. */
export function resolvePostgresOptions(given: PostgresOptions): PostgresSettings {
  checkOptions(given, checks, { prefix: 'postgres' })
  const settings: Record<string, unknown> = { ...defaults }
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue
    const isDuration = typeof value === 'string' && name !== 'schema'
    settings[name] = isDuration ? toMilliseconds(value as Duration) : value
  }
  return settings as unknown as PostgresSettings
}

/** How to connect to a database. The object can be sent to a worker thread. */
export interface ConnectionTarget {
  connectionString?: string | undefined
  host?: string | undefined
  port?: number | undefined
  database?: string | undefined
  user?: string | undefined
  password?: string | undefined
  ssl?: unknown
}

/** The part of a pool of `pg` that hookserver needs. A structural type works without `pg`, and with any copy of it. */
export interface PoolLike {
  options: object
}

/**
 * The parts of a PostgreSQL URL. `undefined` for any other text, and for a URL that cannot be decoded. Also `undefined`
 * if the URL has a fragment, or an `@` in the host, the path or the query: a special character in its password is then
 * probably not encoded.
 */
export function parsePostgresUrl(text: string): URL | undefined {
  if (!/^postgres(ql)?:\/\//.test(text) || text !== text.trim()) return undefined
  const url = URL.parse(text)
  if (!url || url.hash || /@/.test(url.host + url.pathname + url.search)) return undefined
  try {
    decodeURIComponent(url.username + url.password + url.pathname)
    return url
  } catch {
    return undefined
  }
}

/** How to write special characters of a password in a URL. */
export const passwordEncoding = '@ : / ? # % in a password are written as %40 %3A %2F %3F %23 %25'

/**
 * @throws {TypeError} if `target` is neither a URL nor a pool, or if the `password` or a property of the `ssl` of the
 *   pool is a function. The error shows no value of `target`, which may contain a password.
 */
export function toTarget(target: string | PoolLike): ConnectionTarget {
  if (typeof target === 'string' && parsePostgresUrl(target)) return { connectionString: target }
  const options = (target as Partial<PoolLike> | null)?.options
  if (typeof target === 'string' || typeof options !== 'object' || options === null) {
    const expected = `postgres://user:password@host:port/database, where ${passwordEncoding}, or a pool of pg`
    throw new TypeError(`postgres(target): expected ${expected}`)
  }
  const { connectionString, host, port, database, user, password, ssl } = options as Record<string, never>
  if (typeof password === 'function') throw functionError('password')
  return { connectionString, host, port, database, user, password, ssl: ownSsl(ssl) }
}

/**
 * Options for `pg`, with a copy of `ssl`: `pg` makes the property `key` of the object non-enumerable, so a later copy
 * of the same object would lack `key`.
 */
export function toPgConfig(target: ConnectionTarget): object {
  const { ssl } = target
  return typeof ssl === 'object' && ssl !== null ? { ...target, ssl: { ...ssl } } : target
}

/**
 * A copy of `ssl` for a thread, with `key`, even if `pg` has made `key` non-enumerable. @throws {TypeError} if it
 * contains a function.
 */
function ownSsl(ssl: unknown): unknown {
  if (typeof ssl !== 'object' || ssl === null) return ssl
  const { key } = ssl as { key?: unknown }
  const own = { ...ssl, ...(key !== undefined && { key }) }
  const named = Object.entries(own).find(([, value]) => typeof value === 'function')?.[0]
  if (named !== undefined) throw functionError(`ssl.${named}`)
  return own
}

const functionError = (name: string) =>
  new TypeError(
    `postgres(pool): the option ${name} of the pool is a function, and hookserver cannot pass functions to its threads`,
  )

import { isWhole } from '../runtime/check-options.ts'
import { maxTimer } from '../runtime/timer.ts'

/** Options of `postgres(target, options)`. */
export interface PostgresOptions {
  /**
   * The schema of our tables: at most 50 lower-case letters, digits and underscores, not starting with `pg_`. The tables of
   * pg-boss are in a second schema, with the suffix `_jobs`. Default: `hookserver`.
   */
  schema?: string | undefined
  /** Connections of a process, 3 to 1000. It has three more for maintenance, and one more if it works. Default: 10. */
  connections?: number | undefined
  /** Creates and migrates the tables at the first use. If `false`, run `hookserver migrate`. Default: `true`. */
  migrate?: boolean | undefined
  /** Milliseconds to wait for a connection, 1 at least. Default: 5000. */
  connectTimeout?: number | undefined
  /**
   * Milliseconds that a statement may take, and that it may wait for a lock, 1 at least. A server that does not answer for
   * this time plus `connectTimeout` counts as lost. Default: 30000.
   */
  statementTimeout?: number | undefined
  /** Milliseconds after its receipt for which a finished delivery is kept. Default: 30 days. */
  retention?: number | undefined
  /**
   * Milliseconds between heartbeats, 60000 at most. A worker that has missed five of them counts as dead, and other workers
   * run its tasks again. Default: 2500.
   */
  heartbeat?: number | undefined
  /**
   * Milliseconds after which a due task ends as `gone` if no worker has registered its handler in that time.
   * Default: 24 hours.
   */
  vanishAfter?: number | undefined
}

export type PostgresSettings = Required<{ [Name in keyof PostgresOptions]: Exclude<PostgresOptions[Name], undefined> }>

const defaults: PostgresSettings = {
  schema: 'hookserver',
  connections: 10,
  migrate: true,
  connectTimeout: 5000,
  statementTimeout: 30_000,
  retention: 30 * 24 * 60 * 60 * 1000,
  heartbeat: 2500,
  vanishAfter: 24 * 60 * 60 * 1000,
}

/** The schema of pg-boss's tables. */
export const jobsSchema = (schema: string): string => `${schema}_jobs`

/** Connections of a process besides `connections`: two for maintenance, one for heartbeats; one for notifications. */
export const ownConnections = { always: 3, working: 1 } as const

export const schemaNames =
  'a name of lower-case letters, digits and underscores, 50 at most, that does not begin with pg_'

/** With its suffix, a name must not exceed PostgreSQL's 63 bytes; names that start with `pg_` are reserved. */
export const isSchemaName = (name: string): boolean => /^(?!pg_)[a-z_][a-z0-9_]{0,49}$/.test(name)

/** The bounds of numbers. */
type Bounds = [min: number, max: number, unit: string]
export const bounds: Readonly<Record<'connections', Bounds> & Record<string, Bounds>> = {
  connections: [3, 1000, 'connections'],
  connectTimeout: [1, maxTimer, 'milliseconds'],
  statementTimeout: [1, maxTimer, 'milliseconds'],
  retention: [1, Number.MAX_SAFE_INTEGER, 'milliseconds'],
  heartbeat: [1, 60_000, 'milliseconds'],
  vanishAfter: [1, Number.MAX_SAFE_INTEGER, 'milliseconds'],
}

/** @throws {TypeError} naming the option and its value. */
export function resolvePostgresOptions(given: PostgresOptions): PostgresSettings {
  const settings: Record<string, unknown> = { ...defaults }
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(defaults, name)) throw new TypeError(`postgres: unknown option "${name}"`)
    if (value === undefined) continue
    checkOption(name, value)
    settings[name] = value
  }
  return settings as unknown as PostgresSettings
}

function checkOption(name: string, value: unknown): void {
  const invalid = (expected: string) => new TypeError(`postgres: option "${name}" must be ${expected}, got ${value}`)
  if (name === 'migrate' && typeof value !== 'boolean') throw invalid('true or false')
  if (name === 'schema' && !isSchemaName(String(value))) throw invalid(schemaNames)
  const [min, max, unit] = bounds[name] ?? []
  if (min === undefined || max === undefined || isWhole(value, min, max)) return
  throw invalid(
    `a whole number of ${unit}, ${min} at least${max < Number.MAX_SAFE_INTEGER ? ` and ${max} at most` : ''}`,
  )
}

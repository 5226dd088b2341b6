import { isWhole } from '../runtime/check-options.ts'
import { maxTimer } from '../runtime/timer.ts'

/** Options of `postgres(target, options)`. */
export interface PostgresOptions {
  /**
   * The schema of our tables: lower-case letters, digits and underscores, 50 at most, not beginning with `pg_`; those of
   * pg-boss are in one that is called so with `_jobs` behind it. Default: `hookserver`.
   */
  schema?: string | undefined
  /** Connections of a process, 3 to 1000, beside three for what it does by itself and one more if it works. Default: 10. */
  connections?: number | undefined
  /** Whether the tables are made, and brought up to date, by whoever comes first. Default: `true`; else `hookserver migrate` does it. */
  migrate?: boolean | undefined
  /** Milliseconds to wait for a connection, 1 at least. Default: 5000. */
  connectTimeout?: number | undefined
  /**
   * Milliseconds that a statement may take, and that it may wait for a lock, 1 at least. After that and `connectTimeout` a
   * server that says nothing is taken to be gone. Default: 30000.
   */
  statementTimeout?: number | undefined
  /** Milliseconds after its receipt for which a delivery that has ended is kept. Default: 30 days. */
  retention?: number | undefined
  /**
   * Milliseconds between heartbeats, 60000 at most. A worker that has missed five of them is taken to be dead, and what
   * it ran is begun again elsewhere. Default: 2500.
   */
  heartbeat?: number | undefined
  /**
   * Milliseconds after which what is due for a handler that no worker has had since is given up, and recorded as
   * `gone`. Default: 24 hours.
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

/** Where the tables of pg-boss are. */
export const jobsSchema = (schema: string): string => `${schema}_jobs`

/** Connections of a process that are not among its `connections`: two to keep, one for heartbeats; one to listen. */
export const ownConnections = { always: 3, working: 1 } as const

/** What a schema may be called. */
export const schemaNames =
  'a name of lower-case letters, digits and underscores, 50 at most, that does not begin with pg_'

/** Not longer than PostgreSQL's names may be, with what is put behind it; and none of those that it keeps for itself. */
export const isSchemaName = (name: string): boolean => /^(?!pg_)[a-z_][a-z0-9_]{0,49}$/.test(name)

/** The least and the most, of those that are numbers. */
type Bounds = [least: number, most: number, unit: string]
export const bounds: Readonly<Record<'connections', Bounds> & Record<string, Bounds>> = {
  connections: [3, 1000, 'connections'],
  connectTimeout: [1, maxTimer, 'milliseconds'],
  statementTimeout: [1, maxTimer, 'milliseconds'],
  retention: [1, Number.MAX_SAFE_INTEGER, 'milliseconds'],
  heartbeat: [1, 60_000, 'milliseconds'],
  vanishAfter: [1, Number.MAX_SAFE_INTEGER, 'milliseconds'],
}

/** @throws {TypeError} naming option and value. */
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
  const said = (expected: string) => new TypeError(`postgres: option "${name}" must be ${expected}, got ${value}`)
  if (name === 'migrate' && typeof value !== 'boolean') throw said('true or false')
  if (name === 'schema' && !isSchemaName(String(value))) throw said(schemaNames)
  const [least, most, unit] = bounds[name] ?? []
  if (least === undefined || most === undefined || isWhole(value, least, most)) return
  throw said(
    `a whole number of ${unit}, ${least} at least${most < Number.MAX_SAFE_INTEGER ? ` and ${most} at most` : ''}`,
  )
}

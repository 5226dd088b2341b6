import type { Socket } from 'node:net'
import type { ClientBase, PoolClient, QueryConfig, QueryResult } from 'pg'

/** Runs statements, on a pool or in a transaction. Parameters are `$1`, `$2`, …; a bigint is returned as a number. */
export interface Sql {
  /** The rows, in the shape that the statement selects. */
  all<T>(sql: string, ...values: unknown[]): Promise<T[]>
  /** The first row. */
  get<T>(sql: string, ...values: unknown[]): Promise<T | undefined>
  /** The number of rows that the statement changed. */
  run(sql: string, ...values: unknown[]): Promise<number>
}

type Queryable = Pick<PoolClient, 'query'>

/**
 * The maximum number of prepared statements of a connection. The limit is needed because list queries have unlimited
 * shapes.
 */
const maxPrepared = 150

const names = new Map<string, string>()

/**
 * The name under which each connection prepares a statement once; `undefined` if `maxPrepared` other statements have
 * names.
 */
function nameOf(sql: string): string | undefined {
  const known = names.get(sql)
  if (known !== undefined || names.size >= maxPrepared) return known
  const name = `hookserver ${names.size}`
  names.set(sql, name)
  return name
}

/** A connection, or a pool of connections. */
export class Connection implements Sql {
  readonly #queryable: Queryable

  constructor(queryable: Queryable) {
    this.#queryable = queryable
  }

  async all<T>(text: string, ...values: unknown[]): Promise<T[]> {
    return (await this.#named(text, values)).rows as T[]
  }

  async get<T>(text: string, ...values: unknown[]): Promise<T | undefined> {
    return (await this.#named(text, values)).rows[0] as T | undefined
  }

  async run(text: string, ...values: unknown[]): Promise<number> {
    return (await this.#named(text, values)).rowCount ?? 0
  }

  protected query(config: QueryConfig): Promise<QueryResult> {
    return this.#queryable.query(config)
  }

  #named(text: string, values: unknown[]): Promise<QueryResult> {
    const name = nameOf(text)
    return this.query({ text, values: values.map(storable), ...(name !== undefined && { name }) })
  }
}

/** The socket of a connection. `pg` has no public property for it. */
export function socketOf(client: ClientBase): Socket {
  return (client as unknown as { connection: { stream: Socket } }).connection.stream
}

/**
 * Replaces NUL and lone surrogates, which PostgreSQL does not accept in a text, by U+FFFD. The body of a delivery is
 * stored as bytes, so it stays unchanged.
 */
export function text(value: string): string {
  return value.includes('\0') ? value.toWellFormed().replaceAll('\0', '\ufffd') : value.toWellFormed()
}

function storable(value: unknown): unknown {
  if (typeof value === 'string') return text(value)
  return Array.isArray(value) ? value.map(storable) : value
}

/** Rows as one parameter, for `json_to_recordset`. */
export function recordset(rows: readonly object[]): string {
  return JSON.stringify(rows, (_name, value: unknown) => (typeof value === 'string' ? text(value) : value))
}

export const idsOf = (rows: readonly { id: number }[]): number[] => rows.map(({ id }) => id)

// Error codes of PostgreSQL: appendix A of its manual.

/**
 * A write in a read-only session. The server is a standby, or it was made read-only, for example because its disk is
 * full.
 */
export const readOnly = '25006'

/** PostgreSQL ended the transaction because of a deadlock, or of a conflict with a concurrent transaction. */
const conflicts: ReadonlySet<string> = new Set(['40P01', '40001'])

/** A table, a schema or a function does not exist. */
const missingObjects: ReadonlySet<string> = new Set(['42P01', '3F000', '42883'])

/** A lock was not acquired within `lock_timeout`. */
export const lockNotAvailable = '55P03'

/** Classes of errors that concern the connection, the transaction, the permissions or the server. */
const serverClasses: ReadonlySet<string> = new Set(['08', '25', '28', '3D', '42', '53', '55', '57', '58', 'XX'])

export function codeOf(error: unknown): string | undefined {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' ? code : undefined
}

/** Whether the same transaction may succeed if it is retried at once. */
export const isConflict = (error: unknown): boolean => conflicts.has(codeOf(error) ?? '')

/** Whether tables may have been deleted. */
export const isMissingObject = (error: unknown): boolean => missingObjects.has(codeOf(error) ?? '')

/** Whether the data of a single item may have caused the error of a batch. */
export function isItemFault(error: unknown): boolean {
  const code = codeOf(error)
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) && !serverClasses.has(code.slice(0, 2))
}

/** Why an inbox cannot use a database with this encoding, and what to do. */
export function encodingProblem(encoding: string): [problem: string, cure: string] | undefined {
  if (encoding === 'UTF8') return undefined
  return [
    `the database uses the encoding ${encoding}, and hookserver needs UTF8`,
    'create another database with createdb --encoding UTF8 --template template0',
  ]
}

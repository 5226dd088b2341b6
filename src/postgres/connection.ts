import type { PoolClient, QueryConfig, QueryResult } from 'pg'
import { maxTimer } from '../runtime/timer.ts'

/** What a pool and a transaction both can be asked. Parameters are `$1`, `$2`, …; numbers come as numbers. */
export interface Sql {
  /** The rows, in the shape that the statement selects. */
  all<T>(sql: string, ...values: unknown[]): Promise<T[]>
  /** The first row. */
  get<T>(sql: string, ...values: unknown[]): Promise<T | undefined>
  /** How many rows it changed. */
  run(sql: string, ...values: unknown[]): Promise<number>
}

/** Whatever a statement can be given to. */
export type Queryable = Pick<PoolClient, 'query'>

/** Statements that a connection keeps prepared: there are fewer, but queries are of many shapes. */
const maxPrepared = 150

const names = new Map<string, string>()

/** By which a statement is prepared once for each connection. */
function nameOf(sql: string): string | undefined {
  const known = names.get(sql)
  if (known !== undefined || names.size >= maxPrepared) return known
  const name = `hookserver ${names.size}`
  names.set(sql, name)
  return name
}

/** A connection, or a pool of them. */
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

  /** For pg-boss, whose statements are its own. */
  executeSql(text: string, values?: unknown[]): Promise<{ rows: unknown[] }> {
    return this.query({ text, ...(values && { values }) })
  }

  protected query(config: QueryConfig): Promise<QueryResult> {
    return this.#queryable.query(config)
  }

  #named(text: string, values: unknown[]): Promise<QueryResult> {
    const name = nameOf(text)
    return this.query({ text, values: values.map(storable), ...(name !== undefined && { name }) })
  }
}

/** What pg-boss asks. */
export type Lent = Pick<Connection, 'executeSql'>

/** A transaction, with what it has changed. */
export class Session extends Connection {
  /** The deliveries that it has changed; those that are new are noted where they are inserted. */
  readonly changed: Set<number> = new Set()
  /** Whether it has made deliveries that are to be matched, and tasks that are due: workers may wait for either. */
  unmatched = false
  due = false
  #open = true
  #lent = 0
  #failure: Error | undefined

  /** Runs statements that have no parameters, however long they take. */
  async script(text: string): Promise<void> {
    const patient = { text, query_timeout: maxTimer } // which the types of pg do not have
    await this.query(patient)
  }

  /**
   * For pg-boss, which may have to look something up before it asks for anything. Until it has, the transaction does not
   * end.
   */
  async lend<T>(use: (db: Lent) => Promise<T>): Promise<T> {
    this.#lent++
    let isLent = true
    const giveBack = () => {
      if (isLent) this.#lent--
      isLent = false
    }
    try {
      return await use({
        executeSql: (text, values) => {
          giveBack()
          return this.executeSql(text, values)
        },
      })
    } finally {
      giveBack()
    }
  }

  /** Whether something is still to be asked for. */
  get isLent(): boolean {
    return this.#lent > 0
  }

  /** What failed first. PostgreSQL ignores all that comes after it, and says of each of these only that it did. */
  get failure(): Error | undefined {
    return this.#failure
  }

  /** From now on nothing can be asked any more: it would be no part of the transaction. */
  end(): void {
    this.#open = false
  }

  protected override query(config: QueryConfig): Promise<QueryResult> {
    if (!this.#open) return Promise.reject(new Error('The transaction has ended'))
    const answer = super.query(config)
    answer.catch((error: Error) => {
      this.#failure ??= error
    })
    return answer
  }
}

/**
 * PostgreSQL keeps no text with a NUL in it, and none that is not Unicode. What is shown of one has U+FFFD in its
 * place; bytes are kept as they came.
 */
export function text(value: string): string {
  return value.includes('\0') ? value.toWellFormed().replaceAll('\0', '\ufffd') : value.toWellFormed()
}

function storable(value: unknown): unknown {
  if (typeof value === 'string') return text(value)
  return Array.isArray(value) ? value.map(storable) : value
}

/** Rows as one parameter, for `json_to_recordset`; bytes as base64, for `decode`. */
export function recordset(rows: readonly object[]): string {
  return JSON.stringify(rows, (_name, value: unknown) => {
    if (typeof value === 'string') return text(value)
    return value
  })
}

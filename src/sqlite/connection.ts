import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'

/**
 * Maximum prepared statements. hookserver has fewer fixed statements, but the statements of queries have many forms.
 */
const maxPrepared = 200

/** The values of `?` parameters in order, or of `:name` parameters by name. A named parameter takes about 1 µs more. */
export type Parameters = SQLInputValue[] | [named: Readonly<Record<string, SQLInputValue>>]

/** A connection that prepares each statement once. */
export class Connection {
  readonly db: DatabaseSync
  /** The deliveries that the current transaction has changed. */
  readonly changed: Set<number> = new Set()
  readonly #prepared = new Map<string, StatementSync>()

  constructor(db: DatabaseSync) {
    this.db = db
  }

  /** The rows, in the shape that the statement selects. */
  all<T>(sql: string, ...values: SQLInputValue[]): T[] {
    return this.#prepare(sql).all(...values) as T[]
  }

  /** The first row. */
  get<T>(sql: string, ...values: SQLInputValue[]): T | undefined {
    return this.#prepare(sql).get(...values) as T | undefined
  }

  /** The rows, read one by one. */
  each<T>(sql: string, ...values: SQLInputValue[]): IterableIterator<T> {
    return this.#prepare(sql).iterate(...values) as IterableIterator<T>
  }

  /** @returns how many rows the statement changed. */
  run(sql: string, ...values: Parameters): number {
    return Number(this.#prepare(sql).run(...(values as SQLInputValue[])).changes)
  }

  /** @returns the id of the inserted row. */
  insert(sql: string, ...values: Parameters): number {
    return Number(this.#prepare(sql).run(...(values as SQLInputValue[])).lastInsertRowid)
  }

  /** Runs `work` in one transaction, which is rolled back if `work` throws. */
  transaction<T>(work: () => T): T {
    this.begin()
    try {
      const result = work()
      this.commit()
      return result
    } catch (error) {
      this.rollback()
      throw error
    }
  }

  /** Begins a transaction. @throws if another connection holds the lock longer than `lockTimeout`. */
  begin(): void {
    this.changed.clear()
    this.db.exec('begin immediate')
  }

  /** Adds the changed deliveries to the change log, and commits. */
  commit(): void {
    if (this.changed.size > 0) this.run(insertChange, [...this.changed].join(','))
    this.db.exec('commit')
  }

  /** Rolls back, unless SQLite already has. */
  rollback(): void {
    if (this.db.isTransaction) this.db.exec('rollback')
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#prepared.get(sql)
    if (!statement && this.#prepared.size >= maxPrepared) this.#prepared.clear()
    if (!statement) this.#prepared.set(sql, (statement = this.db.prepare(sql)))
    return statement
  }
}

const insertChange = 'insert into changes (deliveries) values (?)'

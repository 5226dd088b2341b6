import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'

/** Statements that are kept: there are fewer, but queries are of many shapes. */
const maxPrepared = 200

/** A connection that prepares each statement once. */
export class Connection {
  readonly db: DatabaseSync
  /** The deliveries that the transaction under way has changed. */
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

  /** The rows, one after the other as they are asked for. */
  each<T>(sql: string, ...values: SQLInputValue[]): IterableIterator<T> {
    return this.#prepare(sql).iterate(...values) as IterableIterator<T>
  }

  /** How many rows it changed. */
  run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#prepare(sql).run(...values).changes)
  }

  /** The id of the row that it inserts. */
  insert(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#prepare(sql).run(...values).lastInsertRowid)
  }

  /** Runs `work` in one transaction, which is rolled back if it throws. */
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

  /** Begins a transaction. @throws if another process holds the lock for too long. */
  begin(): void {
    this.changed.clear()
    this.db.exec('begin immediate')
  }

  /** Notes what has changed, and commits it. */
  commit(): void {
    if (this.changed.size > 0) this.run(insertChange, [...this.changed].join(','))
    this.db.exec('commit')
  }

  /** Also where SQLite has rolled back by itself. */
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

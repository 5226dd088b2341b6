import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import { OpenFiles } from './open.ts'

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
  readonly #files: OpenFiles
  readonly #prepared = new Map<string, StatementSync>()

  constructor(db: DatabaseSync) {
    this.db = db
    this.#files = new OpenFiles(db)
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

  /**
   * Begins a transaction.
   * @throws {Error} if another connection holds the lock longer than `lockTimeout`, or if a file was deleted or replaced.
   */
  begin(): void {
    this.changed.clear()
    this.#files.check()
    this.db.exec('begin immediate')
  }

  /**
   * Adds the changed deliveries to the change log, and commits.
   * @throws {Error} if a file was deleted or replaced. This is checked before the commit, which could damage the files
   *   that another process has opened since, and again after it: a process that opens the files during the commit may
   *   miss the transaction.
   */
  commit(): void {
    if (this.changed.size > 0) this.run(insertChange, [...this.changed].join(','))
    this.#files.check()
    this.db.exec('commit')
    this.#files.check()
  }

  /**
   * Copies the write-ahead log into the database while writers continue.
   * @throws {Error} if a file was deleted or replaced: the log may have other pages at the same places.
   */
  checkpoint(): void {
    this.#files.check()
    this.get('pragma wal_checkpoint(passive)')
  }

  /**
   * Closes the database if its shared memory was deleted or replaced. Other processes then do not see the locks of this
   * connection, and it does not see their transactions. The last connection that closes copies the log into the
   * database and deletes the log, so a later close could delete the transactions of processes that have ended by then.
   */
  closeIfUnshared(): void {
    if (this.db.isOpen && !this.#files.isShared()) this.close()
  }

  close(): void {
    this.#prepared.clear()
    if (this.db.isOpen) this.db.close()
  }

  /** Rolls back, unless SQLite already has. */
  rollback(): void {
    if (this.db.isTransaction) this.db.exec('rollback')
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#prepared.get(sql)
    if (!this.db.isOpen) this.#files.check() // names the file whose loss has closed the database
    if (!statement && this.#prepared.size >= maxPrepared) this.#prepared.clear()
    if (!statement) this.#prepared.set(sql, (statement = this.db.prepare(sql)))
    return statement
  }
}

const insertChange = 'insert into changes (deliveries) values (?)'

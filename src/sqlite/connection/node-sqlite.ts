import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Connection, SqlValue } from './connection.ts'
import { OpenFiles } from './open.ts'

/**
 * Maximum prepared statements. hookserver has fewer fixed statements, but the statements of queries have many forms.
 */
const maxPrepared = 200

/** A connection to a file, through `node:sqlite`. Prepares each statement once. */
export class NodeSqlite implements Connection {
  readonly db: DatabaseSync
  readonly changed: Set<number> = new Set()
  readonly #files: OpenFiles
  readonly #prepared = new Map<string, StatementSync>()
  /** What `pragma data_version` returned at the last checkpoint. */
  #dataVersion: number | undefined

  constructor(db: DatabaseSync) {
    this.db = db
    this.#files = new OpenFiles(db)
  }

  all<T>(sql: string, ...values: SqlValue[]): T[] {
    return this.#prepare(sql).all(...values) as T[]
  }

  get<T>(sql: string, ...values: SqlValue[]): T | undefined {
    return this.#prepare(sql).get(...values) as T | undefined
  }

  each<T>(sql: string, ...values: SqlValue[]): IterableIterator<T> {
    return this.#prepare(sql).iterate(...values) as IterableIterator<T>
  }

  run(sql: string, ...values: SqlValue[]): number {
    return Number(this.#prepare(sql).run(...values).changes)
  }

  insert(sql: string, ...values: SqlValue[]): number {
    return Number(this.#prepare(sql).run(...values).lastInsertRowid)
  }

  /**
   * @throws {Error} if another connection holds the lock longer than `lockTimeout`, or if a file was deleted or replaced.
   *   The files are checked before the commit, which could damage the files that another process has opened since, and
   *   again after it: a process that opens the files during the commit may miss the transaction.
   */
  transaction<T>(work: () => T): T {
    if (this.db.isOpen && this.db.isTransaction) return this.#nested(work)
    this.#files.check()
    this.db.exec('begin immediate')
    try {
      const result = work()
      this.#files.check()
      this.db.exec('commit')
      this.#files.check()
      return result
    } catch (error) {
      this.#rollback('rollback')
      throw error
    }
  }

  usedBytes(): number {
    return this.get<{ used: number }>(selectUsed)?.used ?? 0
  }

  /**
   * Copies the write-ahead log into the database while writers continue, so that their commits have less to copy. Does
   * nothing if no other connection has written since the last call.
   * @returns whether another connection has written.
   * @throws {Error} if a file was deleted or replaced: the log may have other pages at the same places.
   */
  checkpoint(): boolean {
    const version = this.get<{ data_version: number }>('pragma data_version')?.data_version
    if (version === this.#dataVersion) return false
    this.#dataVersion = version
    this.#files.check()
    this.get('pragma wal_checkpoint(passive)')
    return true
  }

  /**
   * Closes the database if its shared memory was deleted or replaced. Other processes then do not see the locks of this
   * connection, and it does not see their transactions.
   */
  closeIfUnshared(): void {
    if (this.db.isOpen && !this.#files.isShared()) this.close()
  }

  /**
   * The last connection that closes copies the log into the database, by the index of the log, and deletes the log. So
   * the index must contain the transactions of processes that do not share it.
   */
  close(): void {
    this.#prepared.clear()
    if (!this.db.isOpen) return
    this.#files.renewIndex()
    this.db.close()
  }

  #nested<T>(work: () => T): T {
    this.db.exec('savepoint nested')
    try {
      return work()
    } catch (error) {
      this.#rollback('rollback to nested')
      throw error
    } finally {
      if (this.db.isTransaction) this.db.exec('release nested')
    }
  }

  /** Does nothing if SQLite has rolled the whole transaction back, as it does after some errors. */
  #rollback(sql: string): void {
    if (this.db.isTransaction) this.db.exec(sql)
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#prepared.get(sql)
    if (!this.db.isOpen) this.#files.check() // names the file whose loss has closed the database
    if (!statement && this.#prepared.size >= maxPrepared) this.#prepared.clear()
    if (!statement) this.#prepared.set(sql, (statement = this.db.prepare(sql)))
    return statement
  }
}

const selectUsed = `
  select (page_count - freelist_count) * page_size as used
  from pragma_page_count, pragma_freelist_count, pragma_page_size`

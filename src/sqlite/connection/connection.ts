/** A value of a parameter. A row also has values of these types: a blob is a `Uint8Array`. */
export type SqlValue = string | number | null | Uint8Array

/**
 * A connection to SQLite, as the statements of this store use it. `NodeSqlite` implements it with `node:sqlite`. An API
 * that only has `exec(sql, ...values)` and `transactionSync(work)` can implement it too, such as that of a Durable
 * Object.
 *
 * Values are those of the `?` parameters, in order.
 */
export interface Connection {
  /** The deliveries that the current `writeTransaction` has changed. */
  readonly changed: Set<number>
  /** The rows, in the shape that the statement selects. */
  all<T>(sql: string, ...values: SqlValue[]): T[]
  /** The first row. */
  get<T>(sql: string, ...values: SqlValue[]): T | undefined
  /** The rows, read one by one. */
  each<T>(sql: string, ...values: SqlValue[]): Iterable<T>
  /** @returns how many rows the statement changed. */
  run(sql: string, ...values: SqlValue[]): number
  /** @returns the id of the inserted row. */
  insert(sql: string, ...values: SqlValue[]): number
  /**
   * Runs `work` in a transaction, which is rolled back if `work` throws. Within another transaction, only the changes
   * of `work` are rolled back.
   */
  transaction<T>(work: () => T): T
  /** Bytes of the database that are in use. */
  usedBytes(): number
}

/** Runs `work` in a transaction that also adds the changed deliveries to the change log. */
export function writeTransaction<T>(connection: Connection, work: () => T): T {
  return connection.transaction(() => {
    connection.changed.clear()
    const result = work()
    if (connection.changed.size > 0) connection.run(insertChange, [...connection.changed].join(','))
    return result
  })
}

const insertChange = 'insert into changes (deliveries) values (?)'

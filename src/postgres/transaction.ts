import { setImmediate } from 'node:timers/promises'
import type { QueryConfig, QueryResult } from 'pg'
import { maxTimer } from '../runtime/timer.ts'
import { Connection, type Queryable } from './connection.ts'

/** The interface through which pg-boss runs its statements. */
export type SqlExecutor = Pick<Connection, 'executeSql'>

/**
 * A pipelined transaction: `all`, `get` and `run` queue a statement, which is sent at once, without waiting for the
 * answers of the statements before it. `commit()` is queued the same way, so a whole transaction can take one round
 * trip:
 *
 *     const [rows] = await Promise.all([transaction.all(select), transaction.run(update), transaction.commit()])
 *
 * - open: statements can be queued.
 * - ended: `commit()` or `rollback()` was sent. A statement would not be part of the transaction, and is rejected.
 *
 * If a statement fails, PostgreSQL ignores all that follow and answers the commit with a rollback; `commit()` rejects.
 */
export class Transaction extends Connection {
  /** Updated deliveries. `commit()` writes them to the change log; new deliveries are logged when they are inserted. */
  readonly changed: Set<number> = new Set()
  /** The transaction made deliveries available for matching. */
  unmatched = false
  /** The transaction made tasks due. */
  due = false
  #open = true
  /** Callers of `holdOpen` that have not sent their first statement. */
  #holds = 0
  #failure: Error | undefined
  #commit: Promise<void> | undefined

  /** Starts the transaction on a connection that nothing else uses. */
  static begin(client: Queryable): { transaction: Transaction; begun: Promise<unknown> } {
    const transaction = new Transaction(client)
    return { transaction, begun: transaction.query({ text: 'begin' }) }
  }

  /** The first failure. PostgreSQL fails every later statement with an error that does not give the reason. */
  get failure(): Error | undefined {
    return this.#failure
  }

  /** Runs statements without parameters, however long they take. */
  async script(text: string): Promise<void> {
    const config = { text, query_timeout: maxTimer } // an option that the types of pg lack
    await this.query(config)
  }

  /** Keeps `commit()` waiting until `send` has sent a statement: pg-boss may have to look up a queue first. */
  async holdOpen<T>(send: (db: SqlExecutor) => Promise<T>): Promise<T> {
    this.#holds++
    let isHeld = true
    const release = () => {
      if (isHeld) this.#holds--
      isHeld = false
    }
    const executeSql: SqlExecutor['executeSql'] = (text, values) => {
      release()
      return this.executeSql(text, values)
    }
    try {
      return await send({ executeSql })
    } finally {
      release()
    }
  }

  /** Queues the commit behind the statements. Resolves when it is on disk; a second call returns the same promise. */
  commit(): Promise<void> {
    this.#commit ??= this.#sendCommit()
    return this.#commit
  }

  /** Rolls back. `commit()` sends nothing from now on. */
  async rollback(): Promise<void> {
    this.#open = false
    await super.query({ text: 'rollback' })
  }

  async #sendCommit(): Promise<void> {
    // At least one turn of the event loop, in which work that failed before it sent a statement rolls back.
    do await setImmediate()
    while (this.#holds > 0)
    const logged = this.changed.size > 0 ? this.run(insertChange, [...this.changed]) : undefined
    const committed = this.query({ text: 'commit' })
    this.#open = false
    const [{ command }] = await Promise.all([committed, logged])
    if (command !== 'COMMIT') throw new Error('The transaction was rolled back')
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

const insertChange = 'insert into changes (deliveries) values ($1::bigint[])'

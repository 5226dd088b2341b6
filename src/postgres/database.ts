import pg from 'pg'
import { maxTimer } from '../runtime/timer.ts'
import { Connection, codeOf, deadlock, readOnly } from './connection.ts'
import { type ConnectionTarget, type PostgresSettings, toPgConfig } from './options.ts'
import { Transaction } from './transaction.ts'

/** How often a transaction is retried that PostgreSQL ended to resolve a deadlock. */
const maxDeadlocks = 5

/** Milliseconds that a transaction may idle: a suspended process must not block the workers that take over its tasks. */
const maxIdleTime = 5000

/** A pool of connections. A connection that was lost to a restart or a failover is replaced when the next call needs one. */
export class Database extends Connection {
  readonly #pool: pg.Pool
  readonly #connectTimeout: number

  /** @param connections How many, and their name in `pg_stat_activity`. */
  constructor(target: ConnectionTarget, settings: PostgresSettings, connections: { max: number; name: string }) {
    const pool = new pg.Pool({
      ...toPgConfig(target),
      max: connections.max,
      application_name: `hookserver ${connections.name}`,
      connectionTimeoutMillis: settings.connectTimeout,
      // A server that has vanished from the network does not enforce statement_timeout.
      query_timeout: Math.min(settings.statementTimeout + settings.connectTimeout, maxTimer),
      keepAlive: true,
      allowExitOnIdle: true,
      pipeline: true, // since pg 8.23
      onConnect: (client) => client.query(sessionSettings(settings)),
      types: { getTypeParser: parserOf as never },
    } as pg.PoolConfig)
    pool.on('error', () => undefined) // an idle connection was lost; the pool replaces it
    super(pool)
    this.#pool = pool
    this.#connectTimeout = settings.connectTimeout
  }

  /**
   * Runs `work` in a transaction and commits it, unless `work` has called `commit()` to send the commit along with its
   * last statements. Rolls back if anything fails, and retries the whole work after a deadlock.
   */
  async transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    for (let deadlocks = 0; ; deadlocks++) {
      try {
        return await this.#runTransaction(work)
      } catch (error) {
        if (codeOf(error) !== deadlock || deadlocks >= maxDeadlocks) throw error
      }
    }
  }

  async #runTransaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    const client = await this.#connect()
    let broken: Error | undefined
    const noteBroken = (error: Error) => {
      broken = error
    }
    client.on('error', noteBroken)
    const { transaction, begun } = Transaction.begin(client)
    try {
      const [result] = await Promise.all([work(transaction), begun])
      await transaction.commit()
      return result
    } catch (error) {
      const failure = broken ?? transaction.failure ?? (error as Error)
      // The connection leads to a standby; a new one may reach the primary server.
      if (codeOf(failure) === readOnly) noteBroken(failure)
      await transaction.rollback().catch(noteBroken)
      throw failure
    } finally {
      client.off('error', noteBroken)
      client.release(broken)
    }
  }

  /** Adds a code to the error of a connection timeout, for which `pg` sets none. */
  async #connect(): Promise<pg.PoolClient> {
    const [startedAt, timeout] = [performance.now(), this.#connectTimeout]
    try {
      return await this.#pool.connect()
    } catch (error) {
      if (codeOf(error) !== undefined || performance.now() - startedAt < timeout) throw error
      throw Object.assign(new Error(`no connection could be had within ${timeout} ms`), { code: 'ETIMEDOUT' })
    }
  }

  async close(): Promise<void> {
    await this.#pool.end()
  }
}

/** Overrides the defaults of the database: a commit is on disk when it is answered, and no wait is unlimited. */
const sessionSettings = ({ schema, statementTimeout }: PostgresSettings) => `
  set search_path to "${schema}";
  set synchronous_commit to on;
  set statement_timeout to ${statementTimeout};
  set lock_timeout to ${statementTimeout};
  set idle_in_transaction_session_timeout to ${Math.min(maxIdleTime, statementTimeout)}`

/** Parses bigint as a number: ids, milliseconds and bytes stay in the safe range of JavaScript. */
function parserOf(type: number, format: never): unknown {
  return type === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(type, format)
}

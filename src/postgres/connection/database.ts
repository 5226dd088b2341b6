import { setImmediate } from 'node:timers/promises'
import pg, { type QueryConfig, type QueryResult } from 'pg'
import { maxTimer } from '../../runtime/timer.ts'
import { type ConnectionTarget, type PostgresSettings, toPgConfig } from '../options.ts'
import { Connection, codeOf, isConflict, readOnly, type Sql, socketOf } from './connection.ts'

/** Maximum retries of a transaction that PostgreSQL aborts because of a conflict with another one. */
const maxConflicts = 5

/**
 * Maximum milliseconds that a transaction may idle, so that a suspended process does not block the workers that take
 * over its tasks.
 */
const maxIdleTime = 5000

/**
 * Milliseconds after which a timer of the pool closes an idle connection. In a suspended process, such as a function
 * between two invocations, no timer runs. When such a process continues, its connections may have been lost.
 */
const maxIdleConnection = 10_000

/** A connection that was taken from the pool. Nothing else uses this connection. */
interface Checkout {
  client: pg.PoolClient
  /** The reason why the connection can no longer be used, if there is one. The pool then closes the connection. */
  broken: Error | undefined
}

/**
 * A pool of connections. It closes the connections that a failover has broken, and opens new ones when calls need them.
 */
export class Database extends Connection {
  readonly #pool: pg.Pool
  readonly #connectTimeout: number
  /** When each connection went back to the pool, by the clock of the machine, which goes on during a suspension. */
  readonly #releasedAt = new WeakMap<object, number>()

  /** @param connections The maximum number of connections, and their name in `pg_stat_activity`. */
  constructor(target: ConnectionTarget, settings: PostgresSettings, connections: { max: number; name: string }) {
    const pool = new pg.Pool({
      ...toPgConfig(target),
      max: connections.max,
      application_name: `hookserver ${connections.name}`,
      connectionTimeoutMillis: settings.connectTimeout,
      // A server that has vanished from the network does not enforce statement_timeout.
      query_timeout: Math.min(settings.statementTimeout + settings.connectTimeout, maxTimer),
      idleTimeoutMillis: maxIdleConnection,
      keepAlive: true,
      allowExitOnIdle: true,
      pipeline: true, // since pg 8.23
      onConnect: (client) => client.query(sessionSettings(settings)),
      types: { getTypeParser: parserOf as never },
    } as pg.PoolConfig)
    pool.on('error', () => undefined) // an idle connection was lost; the pool replaces it
    super(pool)
    pool.on('release', (_error, client) => this.#releasedAt.set(client, Date.now()))
    this.#pool = pool
    this.#connectTimeout = settings.connectTimeout
  }

  /**
   * Runs `work` in a transaction and commits it, unless `work` has called `commit()` to send the commit along with its
   * last statements. Rolls back if anything fails, and retries the whole work after a conflict.
   */
  transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.#retryConflicts(async (checkout) => {
      const { transaction, begun } = Transaction.begin(checkout.client)
      try {
        const [result] = await Promise.all([work(transaction), begun])
        await transaction.commit()
        return result
      } catch (error) {
        const failure = checkout.broken ?? transaction.failure ?? error
        await transaction.rollback().catch((cause: Error) => {
          checkout.broken = cause
        })
        throw failure
      }
    })
  }

  /** Runs a single statement, which is a transaction of its own, and retries it after a conflict. */
  statement<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    return this.#retryConflicts((checkout) => {
      return work(new Connection(checkout.client)).catch((error: Error) => {
        throw checkout.broken ?? error
      })
    })
  }

  /** Not by `pool.query`, which would not replace a connection that a suspension may have cut. */
  protected override query(config: pg.QueryConfig): Promise<pg.QueryResult> {
    return this.#checkOut(({ client }) => client.query(config))
  }

  async #retryConflicts<T>(work: (checkout: Checkout) => Promise<T>): Promise<T> {
    for (let conflicts = 0; ; conflicts++) {
      try {
        return await this.#checkOut(work)
      } catch (error) {
        if (!isConflict(error) || conflicts >= maxConflicts) throw error
      }
    }
  }

  /** Runs `work` on a connection that nothing else uses meanwhile. */
  async #checkOut<T>(work: (checkout: Checkout) => Promise<T>): Promise<T> {
    const checkout: Checkout = { client: await this.#connect(), broken: undefined }
    const noteBroken = (error: Error) => {
      checkout.broken = error
    }
    checkout.client.on('error', noteBroken)
    try {
      return await work(checkout)
    } catch (error) {
      // The connection may lead to a standby. It is closed, because a new one may reach the primary server.
      // After a statement without an answer, `pg` closes the connection, and reports the end of it only later.
      if (codeOf(error) === readOnly || isUnanswered(error as Error)) noteBroken(error as Error)
      throw error
    } finally {
      checkout.client.off('error', noteBroken)
      checkout.client.release(checkout.broken)
    }
  }

  /** Adds a code to the error of a connection timeout, for which `pg` sets none. */
  async #connect(): Promise<pg.PoolClient> {
    const [startedAt, timeout] = [performance.now(), this.#connectTimeout]
    try {
      for (;;) {
        const client = await this.#pool.connect()
        const releasedAt = this.#releasedAt.get(client)
        if (releasedAt === undefined || Date.now() - releasedAt <= maxIdleConnection) return client
        client.release(true) // closes it
      }
    } catch (error) {
      // A timer may fire a millisecond early.
      if (codeOf(error) !== undefined || performance.now() - startedAt < timeout - 1) throw error
      throw Object.assign(new Error(`no connection was available within ${timeout} ms`), { code: 'ETIMEDOUT' })
    }
  }

  async close(): Promise<void> {
    await this.#pool.end()
  }
}

/**
 * Overrides the defaults of the database:
 *
 * - PostgreSQL confirms a commit once the transaction is on disk, and every wait has a time limit.
 * - A statement sees what other transactions have committed before it, so our locks suffice. At the other isolation
 *   levels, PostgreSQL would abort a transaction that waited for a lock and then finds a changed row.
 * - `enable_seqscan` is off: PostgreSQL plans a prepared statement for the current size of its tables, and keeps the
 *   plan until the next analysis of the tables. Our tables grow by thousands of rows before that, so a plan must use
 *   indexes from the beginning.
 * - `enable_mergejoin` is off: to find a few rows by their ids, a merge join may read half of an index.
 * - `enable_bitmapscan` is off: a bitmap scan reads all entries of an index before it returns the first one. In a table of
 *   100,000 rows without statistics, PostgreSQL prefers it, even to find the newest 20 of all deliveries in a state.
 * - `jit` is off: with `enable_seqscan` off, PostgreSQL before version 18 adds a huge cost to a sequential scan that it
 *   cannot avoid. Because of this cost, PostgreSQL would compile the plan.
 */
const sessionSettings = ({ schema, statementTimeout }: PostgresSettings) => `
  set search_path to "${schema}";
  set synchronous_commit to on;
  set default_transaction_isolation to 'read committed';
  set statement_timeout to ${statementTimeout};
  set lock_timeout to ${statementTimeout};
  set enable_seqscan to off;
  set enable_mergejoin to off;
  set enable_bitmapscan to off;
  set jit to off;
  set idle_in_transaction_session_timeout to ${Math.min(maxIdleTime, statementTimeout)}`

/** Whether the time for the answer to a statement is over. `pg` sets no code. */
const isUnanswered = ({ message }: Error): boolean => message === 'Query read timeout'

/** Parses bigint as a number: ids, milliseconds and bytes stay in the safe range of JavaScript. */
function parserOf(type: number, format: never): unknown {
  return type === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(type, format)
}

/**
 * A pipelined transaction: `all`, `get`, `run` and `commit` send a statement without waiting for the answers of the
 * statements before it. So a whole transaction can take one round trip:
 *
 *     const [rows] = await Promise.all([transaction.all(select), transaction.run(update), transaction.commit()])
 *
 * - open: statements can be sent.
 * - ended: `commit()` or `rollback()` was sent. A statement would not be part of the transaction, and is rejected.
 *
 * If a statement fails, PostgreSQL also fails all later statements, and answers the commit with a rollback. Then
 * `commit()` rejects.
 */
export class Transaction extends Connection {
  /**
   * The deliveries that `commit()` adds to the change log. The statement of `store.ts` that inserts deliveries logs
   * them itself.
   */
  readonly changed: Set<number> = new Set()
  /** Whether the transaction made deliveries available for matching. */
  unmatched = false
  /** Whether the transaction may have made tasks due. */
  due = false
  readonly #client: pg.ClientBase
  #open = true
  #failure: Error | undefined
  #commit: Promise<void> | undefined

  private constructor(client: pg.ClientBase) {
    super(client)
    this.#client = client
  }

  /** Starts the transaction on a connection that nothing else uses. */
  static begin(client: pg.ClientBase): { transaction: Transaction; begun: Promise<unknown> } {
    const transaction = new Transaction(client)
    return { transaction, begun: transaction.query({ text: 'begin' }) }
  }

  /** The first failure. PostgreSQL fails every later statement with an error that does not give the reason. */
  get failure(): Error | undefined {
    return this.#failure
  }

  /** Runs statements that have no parameters. The client waits for them without a time limit. */
  async script(text: string): Promise<void> {
    const config = { text, query_timeout: maxTimer } // an option that the types of pg lack
    await this.query(config)
  }

  /**
   * Queues the commit behind the statements. Resolves when the transaction is on disk. A second call returns the same
   * promise.
   */
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
    // Waits one turn of the event loop. If the work throws before it has sent all of its
    // statements, `transaction()` rolls back in this turn, and no commit is sent.
    await setImmediate()
    const logged = this.changed.size > 0 ? this.run(insertChange, [...this.changed]) : undefined
    const committed = this.query({ text: 'commit' })
    this.#open = false
    const [{ command }] = await Promise.all([committed, logged])
    if (command !== 'COMMIT') throw new Error('The transaction was rolled back')
  }

  /** The statements of one turn of the event loop share one write to the socket: `pg` alone makes one write for each. */
  #collectWrites(): void {
    const socket = socketOf(this.#client)
    if (socket.writableCorked > 0) return
    socket.cork()
    process.nextTick(() => socket.uncork())
  }

  protected override query(config: QueryConfig): Promise<QueryResult> {
    if (!this.#open) return Promise.reject(new Error('The transaction has ended'))
    this.#collectWrites()
    const answer = super.query(config)
    answer.catch((error: Error) => {
      this.#failure ??= error
    })
    return answer
  }
}

const insertChange = 'insert into changes (deliveries) values ($1::bigint[])'

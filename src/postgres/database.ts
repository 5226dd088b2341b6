import { setImmediate } from 'node:timers/promises'
import pg from 'pg'
import { maxTimer } from '../runtime/timer.ts'
import { Connection, type Lent, Session, type Sql } from './connection.ts'
import { type ConnectionTarget, toPgConfig } from './connection-target.ts'
import type { PostgresSettings } from './options.ts'

/** PostgreSQL's code for a write on a server that takes none: a standby, or one whose disk is full. */
const readOnly = '25006'

/** How often a transaction is begun again that PostgreSQL has ended so that another could go on. */
const maxDeadlocks = 5

/**
 * Milliseconds for which a transaction may wait for its process: one that stands still in the middle of it holds up
 * whoever is to take over what it left.
 */
const maxIdleTime = 5000

/**
 * The connections of a process to its database. A connection that was lost, by a restart of the server or a failover, is
 * replaced by the next call that needs one.
 */
export class Database implements Sql {
  readonly #pool: pg.Pool
  readonly #all: Connection
  readonly #connectTimeout: number

  /** @param connections How many, and what `pg_stat_activity` calls them. */
  constructor(target: ConnectionTarget, settings: PostgresSettings, connections: { max: number; name: string }) {
    this.#connectTimeout = settings.connectTimeout
    this.#pool = new pg.Pool({
      ...toPgConfig(target),
      max: connections.max,
      application_name: `hookserver ${connections.name}`,
      connectionTimeoutMillis: settings.connectTimeout,
      // For a server that is gone without a word, and does not even end a statement itself.
      query_timeout: Math.min(settings.statementTimeout + settings.connectTimeout, maxTimer),
      keepAlive: true,
      allowExitOnIdle: true,
      pipeline: true, // since pg 8.23
      onConnect: (client) => client.query(sessionOf(settings)),
      types: { getTypeParser: parserOf as never },
    } as pg.PoolConfig)
    this.#pool.on('error', () => undefined) // of an idle connection: whoever needs one is given another
    this.#all = new Connection({ query: (...given: unknown[]) => this.#pool.query(...(given as [never])) } as never)
  }

  all<T>(sql: string, ...values: unknown[]): Promise<T[]> {
    return this.#all.all(sql, ...values)
  }

  get<T>(sql: string, ...values: unknown[]): Promise<T | undefined> {
    return this.#all.get(sql, ...values)
  }

  run(sql: string, ...values: unknown[]): Promise<number> {
    return this.#all.run(sql, ...values)
  }

  /** For pg-boss. */
  executeSql(text: string, values?: unknown[]): Promise<{ rows: unknown[] }> {
    return this.#all.executeSql(text, values)
  }

  /** The same, for one who may have a transaction instead, which has to know. */
  lend<T>(use: (db: Lent) => Promise<T>): Promise<T> {
    return use(this)
  }

  /** Runs `work` in one transaction, which is rolled back if it throws, and notes what it has changed. */
  transaction<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return this.transact(async (session) => {
      const result = await work(session)
      return () => Promise.resolve(result)
    })
  }

  /** The same for work whose last statements travel with the commit: it returns what it has `asked` for. */
  async transact<T>(send: Work<T>): Promise<T> {
    for (let deadlocks = 0; ; deadlocks++) {
      try {
        return await this.#attempt(send)
      } catch (error) {
        if ((error as { code?: string }).code !== '40P01' || deadlocks >= maxDeadlocks) throw error
      }
    }
  }

  async #attempt<T>(send: Work<T>): Promise<T> {
    const client = await this.#connect()
    const session = new Session(client)
    let broken: Error | undefined
    client.on('error', noteBroken)
    try {
      const claimed = client.query('begin') // first of all: it travels with what comes next
      const [, answer] = await Promise.all([claimed, send(session)])
      const answers = answer()
      let failed = false
      answers.catch(() => {
        failed = true
      })
      do await setImmediate()
      while (session.isLent)
      if (failed) await answers // perhaps only here: then the database would commit the rest
      const noted = session.changed.size > 0 ? session.run(insertChange, [...session.changed]) : undefined
      session.end()
      const [result, , ended] = await Promise.all([answers, noted, client.query('commit')])
      // PostgreSQL answers so where a statement has failed, and all that follow it were ignored.
      if (ended.command !== 'COMMIT') throw new Error('The transaction was rolled back')
      return result
    } catch (error) {
      session.end()
      const { failure = error as Error } = session
      // A server that takes no writes is another than the one to which this connection was made.
      if ((failure as { code?: string }).code === readOnly) noteBroken(failure)
      await client.query('rollback').catch(noteBroken)
      throw failure
    } finally {
      client.off('error', noteBroken)
      client.release(broken)
    }

    function noteBroken(error: Error): void {
      broken = error
    }
  }

  /** `pg` says of a host that does not answer only that the connection was ended, and of its own timeouts no code. */
  async #connect(): Promise<pg.PoolClient> {
    const [began, timeout] = [performance.now(), this.#connectTimeout]
    try {
      return await this.#pool.connect()
    } catch (error) {
      const { code } = error as { code?: string }
      if (code !== undefined || performance.now() - began < timeout) throw error
      throw Object.assign(new Error(`no connection could be had within ${timeout} ms`), { code: 'ETIMEDOUT' })
    }
  }

  async close(): Promise<void> {
    await this.#pool.end()
  }
}

/** Work of a transaction. When it resolves the commit can be asked for; what it resolves to waits for the last answers. */
export type Work<T> = (session: Session) => Promise<() => Promise<T>>

/**
 * The end of such work: statements whose answers nobody needs before the commit. Each wait for the database costs whoever
 * waits for the commit.
 */
export async function asked<T>(answers: Promise<T>): Promise<() => Promise<T>> {
  answers.catch(() => undefined) // whoever waits for the commit is told
  return () => answers
}

/** Whatever the database's own defaults are: a commit is on disk when it is answered, and nothing waits for ever. */
const sessionOf = ({ schema, statementTimeout }: PostgresSettings) => `
  set search_path to "${schema}";
  set synchronous_commit to on;
  set statement_timeout to ${statementTimeout};
  set lock_timeout to ${statementTimeout};
  set idle_in_transaction_session_timeout to ${Math.min(maxIdleTime, statementTimeout)}`

/** All numbers here are in the range of JavaScript's: ids, milliseconds, bytes. */
function parserOf(type: number, format: never): unknown {
  return type === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(type, format)
}

const insertChange = 'insert into changes (deliveries) values ($1::bigint[])'

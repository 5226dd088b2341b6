import pg from 'pg'
import { loggedBytes } from '../postgres/sizes.ts'

export interface Activity {
  /** Statements that clients of the database have sent so far. */
  statements: number
  /** Bytes of the write-ahead log of the server so far. */
  logged: number
}

/** Counts the statements of a database, from the connections that are opened later. */
export class ActivityCounter {
  readonly #client: pg.Client

  static async start(url: string): Promise<ActivityCounter> {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    await client.query('create extension pg_stat_statements')
    await client.query(`alter database ${client.database} set pg_stat_statements.track = 'top'`)
    return new ActivityCounter(client)
  }

  private constructor(client: pg.Client) {
    this.#client = client
  }

  /** Gives the planner the size of the tables, as autovacuum does within a minute. */
  async analyze(): Promise<void> {
    await this.#client.query('analyze')
  }

  async read(): Promise<Activity> {
    const { rows } = await this.#client.query<{ statements: string }>(countStatements)
    return { statements: Number(rows[0]?.statements), logged: await loggedBytes(this.#client) }
  }

  async stop(): Promise<void> {
    await this.#client.end()
  }
}

const countStatements = `
  select coalesce(sum(calls), 0) as statements
  from pg_stat_statements
  where dbid = (select oid from pg_database where datname = current_database())`

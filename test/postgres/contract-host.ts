import { join } from 'node:path'
import pg from 'pg'
import { migratePostgres, type PostgresOptions, postgres } from '../../dist/postgres/index.js'
import type { Inbox } from '../../src/inbox/inbox.ts'
import { type InboxContractHost, startDoomedWorker } from '../../src/testing/inbox-contract/index.ts'

/** Short, so that dead workers are detected soon, but long enough for the heartbeats of live ones on a busy machine. */
const soon: PostgresOptions = { heartbeat: 800, vanishAfter: 1, connections: 4 }

/** The options of each inbox that the tests of the inbox contract open, here and in `doomed-worker.ts`. */
export const contractOptions = (schema: string): PostgresOptions => ({ ...soon, schema })

const doomed = join(import.meta.dirname, 'doomed-worker.ts')

/** Schemas in one database. Cases reuse them, because creating a schema takes ten times as long as emptying it. */
export class Schemas {
  readonly #url: string
  readonly #pool: pg.Pool
  readonly #returned: string[] = []
  #created = 0

  constructor(url: string) {
    this.#url = url
    this.#pool = new pg.Pool({ connectionString: url })
    this.#pool.on('error', () => undefined) // the server may stop before the connections have ended
  }

  /** @returns the name of a schema with the tables of a new inbox. */
  async take(): Promise<string> {
    const returned = this.#returned.pop()
    if (returned) {
      await this.#empty(returned)
      return returned
    }
    const schema = `contract_${++this.#created}`
    await migratePostgres(this.#url, { schema })
    return schema
  }

  /** Lets a later `take` empty and reuse the schema. Call this only when no process uses the schema any more. */
  giveBack(schema: string): void {
    this.#returned.push(schema)
  }

  async close(): Promise<void> {
    await this.#pool.end()
  }

  /** Leaves the tables as `migratePostgres` creates them. */
  async #empty(schema: string): Promise<void> {
    const { rows } = await this.#pool.query<{ statement: string }>(emptyTables, [schema, `${schema}_jobs`])
    const statements = rows.map(({ statement }) => statement)
    const begin = `insert into "${schema}".inbox_info (created_at) values (extract(epoch from now()) * 1000)`
    await this.#pool.query(
      ['begin', 'set local session_replication_role = replica', ...statements, begin, 'commit'].join(';'),
    )
  }
}

/**
 * Makes the statements that delete all rows. `#empty` disables triggers with `session_replication_role`, because a
 * trigger of `deliveries` would add rows to `state_counts` for the deleted deliveries.
 */
const emptyTables = `
  select case relkind when 'S' then format('alter sequence %s restart', oid::regclass)
                      else format('delete from %s', oid::regclass) end as statement
  from pg_class
  where relnamespace in (select oid from pg_namespace where nspname in ($1, $2))
    and (relkind = 'S' or relkind = 'r' and relname not in ('schema_migrations', 'version'))`

/** Creates stores in schemas of one database. `clean` closes their inboxes. */
export function postgresHost(url: string, schemas: Schemas): InboxContractHost & { clean(): Promise<void> } {
  const inboxes: Inbox[] = []
  const reusable = new Set<string>()
  return {
    async create() {
      const schema = await schemas.take()
      reusable.add(schema)
      return {
        async open() {
          const inbox = postgres(url, contractOptions(schema))
          inboxes.push(inbox)
          return inbox
        },
        startWorker(work) {
          reusable.delete(schema) // a transaction of the killed process may end later
          return startDoomedWorker(process.execPath, [doomed, url, schema, JSON.stringify(work)])
        },
      }
    },
    async clean() {
      await Promise.all(inboxes.map((inbox) => inbox.close()))
      for (const schema of reusable) schemas.giveBack(schema)
    },
  }
}

import { Database, type Transaction } from '../../src/postgres/connection/database.ts'
import { migratePostgres } from '../../src/postgres/index.ts'
import { resolvePostgresOptions } from '../../src/postgres/options.ts'

/** Schemas in one database. Cases reuse them, because creating a schema takes ten times as long as emptying it. */
export class Schemas {
  readonly #url: string
  readonly #database: Database
  readonly #returned: string[] = []
  #created = 0

  constructor(url: string) {
    this.#url = url
    this.#database = new Database({ connectionString: url }, resolvePostgresOptions({}), { max: 5, name: 'test' })
  }

  /** @returns the name of a schema with the tables of a new inbox. */
  async take(): Promise<string> {
    const returned = this.#returned.pop()
    if (returned) {
      await this.#database.transaction((transaction) => empty(transaction, returned))
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
    await this.#database.close()
  }
}

/**
 * Leaves the tables as `migratePostgres` creates them. No trigger runs, because a trigger of `deliveries` would add rows
 * to `state_counts` for the deleted deliveries.
 */
async function empty(transaction: Transaction, schema: string): Promise<void> {
  const rows = await transaction.all<{ statement: string }>(emptyTables, schema)
  const begin = `insert into "${schema}".inbox_info (created_at) values (extract(epoch from now()) * 1000)`
  const statements = ['set local session_replication_role = replica', ...rows.map(({ statement }) => statement), begin]
  await transaction.script(statements.join(';'))
}

const emptyTables = `
  select case relkind when 'S' then format('select setval(%L, 1, false)', oid::regclass)
                      else format('delete from %s', oid::regclass) end as statement
  from pg_class
  where relnamespace = (select oid from pg_namespace where nspname = $1)
    and (relkind = 'S' or relkind = 'r' and relname <> 'schema_migrations')`

/** The tables of an inbox in a schema of their own. */
import { Database } from '../../src/postgres/connection/database.ts'
import { prepareDatabase } from '../../src/postgres/connection/open.ts'
import { resolvePostgresOptions } from '../../src/postgres/options.ts'

let schemas = 0

/** @param connections The maximum number of connections. */
export async function createTables(url: string, connections = 4): Promise<Database> {
  const settings = resolvePostgresOptions({ schema: `part_${++schemas}` })
  const database = new Database({ connectionString: url }, settings, { max: connections, name: 'test' })
  await prepareDatabase(database, settings)
  return database
}

/** The properties of generated deliveries that tests set. */
export interface Made {
  count: number
  /** SQL expressions, in which `i` is the id: 1, 2, … */
  state?: string
  event?: string
  repository?: string
  receivedAt?: string
  number?: string
  sha?: string
  ref?: string
}

/** Inserts matched deliveries, by default `done`, each with its content and a task that is `done`. */
export async function fill(database: Database, made: Made): Promise<void> {
  const { count, state = `'done'`, event = `'push'`, repository = `'octo/app'`, receivedAt = 'i' } = made
  const { number = 'null', sha = 'null', ref = 'null' } = made
  await database.transaction(async (session) => {
    await session.run(
      `insert into deliveries (
         id, identity, variant, source, hook_id, guid, event, state, matched, received_at, stored_at, batch, sha256,
         replay_key, headers_size, size, form, pulled, repository, number, sha, ref)
       select i, substr(sha256(('guid-' || i)::bytea), 1, 8) || '\\x0000000000000000'::bytea, 0, '/hooks', '1', 'guid-' || i,
              ${event}, ${state}, true, ${receivedAt}, ${receivedAt}, i, sha256(i::text::bytea),
              i, 2, 2, 'json', false, ${repository}, ${number}, ${sha}, ${ref}
       from generate_series(1, $1::int) as i`,
      count,
    )
    await session.run(`insert into contents select id, '\\x' from deliveries`)
    await session.run(`insert into tasks (delivery_id, handler, state) select id, 'a', 'done' from deliveries`)
  })
}

import type { Client } from 'pg'
import { shownDatabase } from '../../server/config/database-settings.ts'
import type { Config } from '../../server/config/resolve-config.ts'
import { connectionsOf, loadPostgres, openPassively, schemasOf } from '../../server/open-inbox.ts'
import { cureOf, noAnswer, reasonOf } from '../../server/postgres-errors.ts'
import { type Finding, failed, fine } from './finding.ts'
import { checkInbox } from './inbox.ts'
import {
  checkClock,
  checkConnections,
  checkDurability,
  checkTransactions,
  isBehindPooler,
  readServer,
  type Server,
} from './postgres-server.ts'

const timeoutMs = 5000
/** The first version that has everything that the inbox uses. */
const minVersion = 13
const what = 'database'

/** Checks that an inbox can be kept in a PostgreSQL database, and that it is durable there. */
export async function* checkPostgres(config: Config): AsyncGenerator<Finding> {
  const [clients, startedAt]: [Client[], number] = [[], performance.now()]
  try {
    await loadPostgres()
    const { default: pg } = await import('pg')
    const connect = async () => {
      const options = { connectionString: config.database.value, application_name: 'hookserver doctor' }
      const client = new pg.Client({ ...options, connectionTimeoutMillis: timeoutMs, query_timeout: timeoutMs })
      client.on('error', () => undefined) // the next query fails with it
      clients.push(client)
      await client.connect()
      return client
    }
    yield* checkServer(await connect(), connect, config)
  } catch (error) {
    const found = `${shownDatabase(config.database.value)}: ${reasonOf(error as Error)}`
    const cure = cureOf(error) ?? guessCure(clients[0], performance.now() - startedAt)
    yield failed(what, found, cure)
  } finally {
    await Promise.all(clients.map((client) => client.end().catch(() => undefined)))
  }
}

/** For errors of `pg` that have no code. */
function guessCure(
  client: (Client & { ssl?: unknown; password?: unknown }) | undefined,
  elapsedMs: number,
): string | undefined {
  if (elapsedMs >= timeoutMs) return noAnswer
  if (client?.ssl) return 'if it has no TLS, remove sslmode from the address'
  if (!client || client.password) return undefined
  return 'if it needs a password: put it into the address, PGPASSWORD, ~/.pgpass, or a file for --database-url-file'
}

async function* checkServer(client: Client, connect: () => Promise<Client>, config: Config): AsyncGenerator<Finding> {
  const server = await readServer(client)
  const name = `${shownDatabase(config.database.value)}: PostgreSQL ${server.name}`
  if (server.version < minVersion * 10_000) {
    yield failed(what, `${name} is too old`, `upgrade it to ${minVersion} or later`)
    return
  }
  if (await isBehindPooler(client, connect)) {
    const found = `${name} is behind a pooler that reassigns its connections after each transaction`
    yield failed(
      what,
      found,
      'give each client its own (PgBouncer: pool_mode = session), or connect to PostgreSQL directly',
    )
    return
  }
  yield* checkSchemas(client, server, config, name)
  yield* checkDurability(server)
  yield* checkConnections(server, connectionsOf(config))
  yield* checkTransactions(client)
  yield* checkClock(client)
}

/** Checks that the tables exist, or can be created. @param name Of the database. */
async function* checkSchemas(
  client: Client,
  { user, database }: Server,
  config: Config,
  name: string,
): AsyncGenerator<Finding> {
  const schemas = (await client.query(selectSchemas, [schemasOf(config)])).rows as Schema[]
  const migrates = config.databaseMigrate.value !== false
  const denied = migrates ? schemas.find(({ allowed }) => !allowed) : undefined
  if (denied) {
    const found = `${name}: ${user} may not ${denied.exists ? 'create tables in' : 'create'} the schema ${denied.name}`
    const right = denied.exists ? `create on schema ${denied.name}` : `create on database "${database}"`
    const cure = `grant ${right} to "${user}"; or run hookserver migrate as another user, and serve with --database-migrate false`
    yield failed(what, found, cure)
  } else if (schemas.every(({ exists }) => exists)) yield* checkInbox(openPassively(config), name)
  else if (migrates) yield fine(what, `${name}: the tables will be created`)
  else yield failed(what, `${name}: there are no tables`, 'create them: hookserver migrate')
}

interface Schema {
  name: string
  exists: boolean
  /** Whether the user may create it, or tables in it. */
  allowed: boolean
}

const selectSchemas = `
  select
    name,
    to_regnamespace(name) is not null as exists,
    case
      when to_regnamespace(name) is null then has_database_privilege(current_database(), 'create')
      else has_schema_privilege(name, 'usage') and has_schema_privilege(name, 'create')
    end as allowed
  from unnest($1::text[]) as name`

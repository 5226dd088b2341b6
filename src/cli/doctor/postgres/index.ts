import type { Client } from 'pg'
import type { Config } from '../../../server/config.ts'
import { connectionsOf } from '../../../server/inbox.ts'
import { loadPostgres } from '../../../server/load-postgres.ts'
import { cureOf, noAnswer, reasonOf } from '../../../server/postgres-cures.ts'
import { shownDatabase } from '../../../server/settings/database.ts'
import type { Finding } from '../finding.ts'
import { checkClock, checkTransactions } from './activity.ts'
import { sharesConnections } from './pooling.ts'
import { checkSchemas } from './schemas.ts'
import { checkConnections, checkDurability, readServer } from './server.ts'

/** Milliseconds to wait for each answer. */
const patience = 5000
/** The first PostgreSQL that has all that the inbox uses. */
const oldest = 13

/** Whether an inbox could be kept there, and would keep what it says. */
export async function* checkPostgres(config: Config): AsyncGenerator<Finding> {
  const [clients, began]: [Client[], number] = [[], performance.now()]
  try {
    await loadPostgres()
    const { default: pg } = await import('pg')
    const connect = async () => {
      const options = { connectionString: config.database.value, application_name: 'hookserver doctor' }
      const client = new pg.Client({ ...options, connectionTimeoutMillis: patience, query_timeout: patience })
      client.on('error', () => undefined) // whoever asks next is told
      clients.push(client)
      await client.connect()
      return client
    }
    yield* checkAll(await connect(), connect, config)
  } catch (error) {
    const found = `${shownDatabase(config.database.value)}: ${reasonOf(error as Error)}`
    yield {
      what: 'database',
      state: 'failed',
      found,
      cure: cureOf(error) ?? guess(clients[0], performance.now() - began),
    }
  } finally {
    await Promise.all(clients.map((client) => client.end().catch(() => undefined)))
  }
}

/** About what `pg` finds out by itself, without a code. */
function guess(
  client: (Client & { ssl?: unknown; password?: unknown }) | undefined,
  waited: number,
): string | undefined {
  if (waited >= patience) return noAnswer
  if (client?.ssl) return 'if it has no TLS, leave sslmode out of the address'
  if (!client || client.password) return undefined
  return 'if it wants a password: in the address, in PGPASSWORD, in ~/.pgpass, or in a file with --database-url-file'
}

async function* checkAll(client: Client, connect: () => Promise<Client>, config: Config): AsyncGenerator<Finding> {
  const failed = (found: string, cure: string): Finding => ({ what: 'database', state: 'failed', found, cure })
  const server = await readServer(client)
  const name = `${shownDatabase(config.database.value)}: PostgreSQL ${server.name}`
  if (server.version < oldest * 10_000) {
    yield failed(`${name} is too old`, `upgrade it to ${oldest} or later`)
    return
  }
  if (await sharesConnections(client, connect)) {
    const found = `${name} is behind a pooler that hands its connections from one to the next after each transaction`
    yield failed(
      found,
      'let each client keep its own (PgBouncer: pool_mode = session), or connect to PostgreSQL itself',
    )
    return
  }
  yield* checkSchemas(client, server, config, name)
  yield* checkDurability(server)
  yield* checkConnections(server, connectionsOf(config))
  yield* checkTransactions(client)
  yield* checkClock(client)
}

/** Checks of a PostgreSQL server: version, encoding, pooler, schema, durability, connections, open transactions, clock. */
import type { Client } from 'pg'
import { type Finding, failed, warning } from '../../runtime/finding.ts'
import { formatDuration, plural } from '../../runtime/format.ts'
import { isMissingPackage } from '../../runtime/platform.ts'
import { shownDatabase } from '../../server/config/database-settings.ts'
import type { Config } from '../../server/config/resolve-config.ts'
import { cureOf, noAnswer, reasonOf } from '../../server/database-errors.ts'
import { endTransaction, findOldTransaction } from '../../server/old-transaction.ts'
import { connectionsOf, encodingProblem, loadPostgres } from '../../server/open-inbox.ts'
import { checkSchema } from './inbox.ts'

const timeoutMs = 5000
/** The first version that the inbox supports. */
const minVersion = 13
const what = 'database'

type Connect = () => Promise<Client>

/** Checks that a PostgreSQL database can hold the inbox durably. */
export async function* checkPostgres(config: Config): AsyncGenerator<Finding> {
  const [clients, startedAt]: [Client[], number] = [[], performance.now()]
  try {
    await loadPostgres()
    const { default: pg } = await import('pg')
    const connect = async () => {
      const options = { connectionString: config.database.value, application_name: 'hookserver doctor' }
      const client = new pg.Client({ ...options, connectionTimeoutMillis: timeoutMs, query_timeout: timeoutMs })
      client.on('error', () => undefined) // the next query fails with this error
      clients.push(client)
      await client.connect()
      return client
    }
    yield* checkServer(connect, config)
  } catch (error) {
    if (isMissingPackage((error as Error).cause)) {
      yield failed(what, 'the package "pg", which a database on PostgreSQL needs, is not installed', 'npm install pg')
      return
    }
    const found = `${shownDatabase(config.database.value)}: ${reasonOf(error as Error)}`
    yield failed(what, found, cureOf(error) ?? guessCure(clients[0], performance.now() - startedAt))
  } finally {
    await Promise.all(clients.map((client) => client.end().catch(() => undefined)))
  }
}

/** The likely fix for an error without a known code. */
function guessCure(
  client: (Client & { ssl?: unknown; password?: unknown }) | undefined,
  elapsedMs: number,
): string | undefined {
  if (elapsedMs > 0.9 * timeoutMs) return noAnswer // a timer may fire a millisecond early
  if (client?.ssl) return 'if the server does not use TLS, remove sslmode from the URL'
  if (!client || client.password) return undefined
  return 'if the server requires a password, set it in the URL, PGPASSWORD, ~/.pgpass, or a file for --database-url-file'
}

async function* checkServer(connect: Connect, config: Config): AsyncGenerator<Finding> {
  const client = await connect()
  const server: Server = (await client.query(selectServer)).rows[0]
  const name = `${shownDatabase(config.database.value)}: PostgreSQL ${server.name}`
  if (server.version < minVersion * 10_000) {
    yield failed(what, `${name} is too old`, `upgrade it to ${minVersion} or later`)
    return
  }
  const [problem, cure] = (await encodingProblem(server.encoding)) ?? []
  if (problem) {
    yield failed(what, `${name}: ${problem}`, cure)
    return
  }
  if (await isBehindPooler(client, connect)) {
    const found = `${name} is behind a pooler that reassigns its connections after each transaction`
    const cure =
      'give each client its own connection (PgBouncer: pool_mode = session), or connect to PostgreSQL directly'
    yield failed(what, found, cure)
    return
  }
  yield* checkSchema(client, server, config, name)
  yield* checkDurability(server)
  if (!server.autovacuum) {
    const found = 'autovacuum is off: PostgreSQL does not remove deleted rows, and the inbox gets larger and slower'
    yield warning(what, found, 'alter system set autovacuum to on; select pg_reload_conf()')
  }
  yield* checkConnections(server, connectionsOf(config))
  yield* checkTransactions(client)
  yield* checkClock(client)
}

interface Server {
  name: string
  version: number
  user: string
  database: string
  encoding: string
  autovacuum: boolean
  /** Settings that must be on for durable commits, but are off. */
  off: string[]
  /** Free connections for this user and database. */
  free: number
  max: number
}

/** Reserved connections, and connections of other clients, are not free. */
const selectServer = `
  with others as (
    select usename, datname
    from pg_stat_activity
    where backend_type = 'client backend' and application_name <> 'hookserver doctor'
  )
  select
    current_setting('server_version') as name,
    current_setting('server_version_num')::int as version,
    current_user as user,
    current_database() as database,
    current_setting('server_encoding') as encoding,
    current_setting('autovacuum')::boolean as autovacuum,
    array(
      select name from pg_settings where name in ('fsync', 'full_page_writes') and setting = 'off' order by name
    ) as off,
    current_setting('max_connections')::int as max,
    least(
      current_setting('max_connections')::int
        - current_setting('superuser_reserved_connections')::int
        - coalesce(current_setting('reserved_connections', true)::int, 0)
        - (select count(*) from others),
      (
        select nullif(rolconnlimit, -1) - (select count(*) from others where usename = current_user)
        from pg_roles where rolname = current_user
      ),
      (
        select nullif(datconnlimit, -1) - (select count(*) from others where datname = current_database())
        from pg_database where datname = current_database()
      )
    )::int as free`

/** More than one, because a pooler may assign the same connection again by chance. */
const poolerTests = 5

/**
 * Whether a pooler assigns a connection for one transaction only. In that case a second client gets the idle connection
 * of the first, or the first client gets another connection. Without a pooler neither happens.
 */
async function isBehindPooler(client: Client, connect: Connect): Promise<boolean> {
  const other = await connect()
  for (let test = 0; test < poolerTests; test++) {
    const before = await backendOf(client)
    await other.query('begin')
    // If `other` got the connection that `client` had, a query of `client` would wait for the end of the transaction.
    // So `client` is queried only if `other` got a different connection.
    const isShared = (await backendOf(other)) === before || (await backendOf(client)) !== before
    await other.query('rollback')
    if (isShared) return true
  }
  return false
}

const backendOf = async (client: Client): Promise<number> =>
  (await client.query('select pg_backend_pid() as pid')).rows[0].pid

/** `synchronous_commit` is not checked: the inbox sets it for its own sessions. */
function* checkDurability({ off }: Server): Generator<Finding> {
  if (off.length === 0) return
  const found = `${off.join(' and ')} ${off.length === 1 ? 'is' : 'are'} off: a power failure can lose acknowledged deliveries and damage the database`
  const statements = off.map((name) => `alter system set ${name} to on;`).join(' ')
  yield warning(what, found, `${statements} select pg_reload_conf()`)
}

function* checkConnections({ free, max }: Server, needed: number): Generator<Finding> {
  if (free >= needed) return
  const found = `${plural(Math.max(0, free), 'connection')} available (max_connections is ${max}), but a server may open ${needed}`
  yield warning(what, found, 'lower --database-connections, or raise max_connections in PostgreSQL')
}

/**
 * Reports the oldest transaction that has been open for longer than `minAge` milliseconds. While it is open, PostgreSQL
 * cannot vacuum rows that were deleted after it began. If it has written something, the live list of the dashboard may
 * lag, because each poll for changes scans all changes since then.
 */
export async function* checkTransactions(client: Client, minAge?: number): AsyncGenerator<Finding> {
  const oldest = await findOldTransaction(client, minAge)
  if (!oldest) return
  const { pid, user, application, age } = oldest
  const open = `has been open for ${formatDuration(age)} (process ${pid}${user && `, user ${user}`})`
  const found = `a transaction of ${application || user || 'PostgreSQL'} ${open}: PostgreSQL cannot remove rows deleted since then`
  yield warning(what, found, endTransaction(pid))
}

/** A larger difference makes the dates of deliveries wrong, and the option `delay`, which counts from the receipt. */
const clockToleranceMs = 1000

async function* checkClock(client: Client): AsyncGenerator<Finding> {
  const before = Date.now()
  const { now } = (await client.query(`select (extract(epoch from clock_timestamp()) * 1000)::float8 as now`)).rows[0]
  const ahead = Math.round((before + Date.now()) / 2 - now)
  if (Math.abs(ahead) <= clockToleranceMs) return
  const found = `${(Math.abs(ahead) / 1000).toFixed(1)} s ${ahead > 0 ? 'ahead of' : 'behind'} the database's`
  yield warning('clock', found, 'synchronize both clocks with NTP: timedatectl set-ntp true')
}

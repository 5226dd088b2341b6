/** Checks of a PostgreSQL server: whether it is durable, has connections left, and does its maintenance. */
import type { Client } from 'pg'
import { formatDuration, plural } from '../output.ts'
import { doubtful, type Finding } from './finding.ts'

export interface Server {
  name: string
  version: number
  user: string
  database: string
  fsync: string
  fullPages: string
  /** Free connections, for this user on this database. */
  free: number
  max: number
}

export async function readServer(client: Client): Promise<Server> {
  return (await client.query(selectServer)).rows[0]
}

/** Reserved connections, and those of other clients, are not free. */
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
    current_setting('fsync') as fsync,
    current_setting('full_page_writes') as "fullPages",
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

/** `synchronous_commit` is not checked: the inbox sets it for its own sessions. */
export function* checkDurability({ fsync, fullPages }: Server): Generator<Finding> {
  const off = [...(fsync === 'off' ? ['fsync'] : []), ...(fullPages === 'off' ? ['full_page_writes'] : [])]
  if (off.length === 0) return
  const found = `${off.join(' and ')} ${off.length === 1 ? 'is' : 'are'} off: after a power failure acknowledged deliveries are lost, and the database may be damaged`
  const statements = off.map((name) => `alter system set ${name} to on;`).join(' ')
  yield doubtful('database', found, `${statements} select pg_reload_conf()`)
}

export function* checkConnections({ free, max }: Server, needed: number): Generator<Finding> {
  if (free >= needed) return
  const found = `${plural(Math.max(0, free), 'connection')} available (max_connections is ${max}), and a server may open ${needed}`
  const cure = 'lower --database-connections, or allow more in PostgreSQL'
  yield doubtful('database', found, cure)
}

/** Several, because a pooler with several connections may assign the same one again by chance. */
const poolerTests = 5

/**
 * Whether a pooler assigns connections to clients for one transaction each. Then a second client gets the idle
 * connection of the first, or the first one changes its own; without a pooler neither happens.
 */
export async function isBehindPooler(client: Client, connect: () => Promise<Client>): Promise<boolean> {
  const other = await connect()
  for (let test = 0; test < poolerTests; test++) {
    const before = await backendOf(client)
    await other.query('begin')
    // With a single connection for both, the second query would wait for the open transaction: it is not sent then.
    const isShared = (await backendOf(other)) === before || (await backendOf(client)) !== before
    await other.query('rollback')
    if (isShared) return true
  }
  return false
}

async function backendOf(client: Client): Promise<number> {
  return (await client.query('select pg_backend_pid() as pid')).rows[0].pid
}

const longTransactionMs = 10 * 60 * 1000

/** An open transaction keeps deleted rows from being vacuumed, and may hold back the live view. */
export async function* checkTransactions(client: Client, minMs: number = longTransactionMs): AsyncGenerator<Finding> {
  const { rows } = await client.query<{ pid: number; who: string; ms: number }>(selectOldest, [minMs / 1000])
  const [oldest] = rows
  if (!oldest) return
  const found = `a transaction of ${oldest.who} has been open for ${formatDuration(oldest.ms)}: rows deleted since then cannot be vacuumed`
  yield doubtful('database', found, `end it: select pg_terminate_backend(${oldest.pid})`)
}

/** `xact_start` of other users is visible to members of pg_read_all_stats only. */
const selectOldest = `
  select
    pid,
    coalesce(nullif(application_name, ''), usename, backend_type) as who,
    (extract(epoch from now() - xact_start) * 1000)::float8 as ms
  from pg_stat_activity
  where datname = current_database() and pid <> pg_backend_pid()
    and (backend_xid is not null or backend_xmin is not null)
    and xact_start < now() - $1 * interval '1 second'
  order by xact_start
  limit 1`

/** The clock of the machine that handles decides when a retry is due. */
const clockToleranceMs = 1000

export async function* checkClock(client: Client): AsyncGenerator<Finding> {
  const before = Date.now()
  const { now } = (await client.query(`select (extract(epoch from clock_timestamp()) * 1000)::float8 as now`)).rows[0]
  const ahead = Math.round((before + Date.now()) / 2 - now)
  if (Math.abs(ahead) <= clockToleranceMs) return
  const found = `${(Math.abs(ahead) / 1000).toFixed(1)} s ${ahead > 0 ? 'ahead of' : 'behind'} the database's`
  yield doubtful('clock', found, 'synchronize both with NTP: timedatectl set-ntp true')
}

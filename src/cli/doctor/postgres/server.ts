/** What PostgreSQL says of itself, and what of that keeps deliveries from being safe there. */
import type { Client } from 'pg'
import { counted } from '../../printing.ts'
import type { Finding } from '../finding.ts'

export interface Server {
  name: string
  version: number
  user: string
  database: string
  fsync: string
  fullPages: string
  /** Connections that are left, for this user on this database. */
  left: number
  most: number
}

export async function readServer(client: Client): Promise<Server> {
  return (await client.query(selectServer)).rows[0]
}

/** What is reserved, and what others have, is not to be had. */
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
    current_setting('max_connections')::int as most,
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
    )::int as left`

/** Whether what is committed is on disk: `synchronous_commit` is turned on by whoever stores. */
export function* checkDurability({ fsync, fullPages }: Server): Generator<Finding> {
  const off = [...(fsync === 'off' ? ['fsync'] : []), ...(fullPages === 'off' ? ['full_page_writes'] : [])]
  if (off.length === 0) return
  const found = `${off.join(' and ')} ${off.length === 1 ? 'is' : 'are'} off: after a power cut deliveries are lost that were answered 2xx, and the database may be damaged`
  yield {
    what: 'database',
    state: 'doubtful',
    found,
    cure: `${off.map((name) => `alter system set ${name} to on;`).join(' ')} select pg_reload_conf()`,
  }
}

export function* checkConnections({ left, most }: Server, wanted: number): Generator<Finding> {
  if (left >= wanted) return
  const found = `${counted(Math.max(0, left), 'connection')} can be had (max_connections is ${most}), and a server may open ${wanted}`
  yield {
    what: 'database',
    state: 'doubtful',
    found,
    cure: 'have fewer with --database-connections, or allow more in PostgreSQL',
  }
}

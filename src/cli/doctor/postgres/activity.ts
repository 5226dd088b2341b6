import type { Client } from 'pg'
import { elapsed } from '../../elapsed.ts'
import type { Finding } from '../finding.ts'

/** Milliseconds by which clocks may differ: what is due is decided by that of the machine that handles. */
const tolerance = 1000
/** Milliseconds from which on a transaction is long. */
const long = 10 * 60 * 1000

/** While one is open, nothing that was deleted since it began is cleaned up, and what is watched live may wait for it. */
export async function* checkTransactions(client: Client, from: number = long): AsyncGenerator<Finding> {
  const [oldest] = (await client.query(selectOldest, [from / 1000])).rows as { pid: number; who: string; ms: number }[]
  if (!oldest) return
  const found = `a transaction of ${oldest.who} has been open for ${elapsed(oldest.ms)}: what is deleted meanwhile is not cleaned up`
  yield { what: 'database', state: 'doubtful', found, cure: `end it: select pg_terminate_backend(${oldest.pid})` }
}

/** Of others only a member of pg_read_all_stats sees when it began. */
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

export async function* checkClock(client: Client): AsyncGenerator<Finding> {
  const before = Date.now()
  const { now } = (await client.query(`select (extract(epoch from clock_timestamp()) * 1000)::float8 as now`)).rows[0]
  const ahead = Math.round((before + Date.now()) / 2 - now)
  const found = `${(Math.abs(ahead) / 1000).toFixed(1)} s ${ahead > 0 ? 'ahead of' : 'behind'} the database's`
  if (Math.abs(ahead) <= tolerance) return
  yield { what: 'clock', state: 'doubtful', found, cure: 'have both set by NTP: timedatectl set-ntp true' }
}

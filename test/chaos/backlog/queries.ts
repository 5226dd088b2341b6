import type { Pool } from 'pg'

/** The transactions that are matching ordered deliveries: at most one. */
export async function matching(pool: Pool): Promise<string[]> {
  return (await pool.query<{ transaction: string }>(selectMatching)).rows.map(({ transaction }) => transaction)
}

/** Random matched deliveries in the state `$1`, at most `$2`. */
export const selectForRetry = `
  select id::int, guid, state from hookserver.deliveries where state = $1 and matched order by random() limit $2`

const selectMatching = `
  select pg_locks.pid || ' ' || xact_start as transaction
  from pg_locks join pg_stat_activity using (pid)
  where locktype = 'advisory' and granted and objsubid = 1
    and (classid::bigint << 32) | objid::bigint = hashtextextended('hookserver matches hookserver', 1)`

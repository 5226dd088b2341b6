import type pg from 'pg'

/** The total size of the tables and indexes of a schema, in bytes. */
export async function sizeOf(client: pg.Client, schema: string): Promise<number> {
  const { rows } = await client.query<{ bytes: string }>(selectSize, [schema])
  return Number(rows[0]?.bytes)
}

/** Rewrites each table, so that it contains only live rows. */
export async function vacuumFull(client: pg.Client, schema: string): Promise<void> {
  const tables = await client.query<{ name: string }>(selectTables, [schema])
  for (const { name } of tables.rows) await client.query(`vacuum full ${schema}."${name}"`)
}

/** The bytes that have been written to the write-ahead log so far. */
export async function loggedBytes(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ bytes: string }>("select pg_current_wal_lsn() - '0/0' as bytes")
  return Number(rows[0]?.bytes)
}

const selectTables = `select relname as name from pg_class where relnamespace = $1::text::regnamespace and relkind = 'r'`

const selectSize = `
  select sum(pg_total_relation_size(oid)) as bytes
  from pg_class
  where relkind = 'r' and relnamespace = $1::text::regnamespace`

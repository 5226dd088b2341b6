import type pg from 'pg'

/**
 * Measures the schema of the inbox and the schema of pg-boss.
 * @param schema The name of the inbox's schema.
 * @returns the total size of the tables and indexes of each schema, in bytes, by the name of the schema.
 */
export async function sizesOf(client: pg.Client, schema: string): Promise<Map<string, number>> {
  const { rows } = await client.query<{ schema: string; bytes: string }>(selectSizes, [schema])
  return new Map(rows.map(({ schema, bytes }) => [schema, Number(bytes)]))
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

const selectSizes = `
  select nspname as schema, sum(pg_total_relation_size(pg_class.oid)) as bytes
  from pg_class join pg_namespace on pg_namespace.oid = relnamespace
  where relkind = 'r' and nspname in ($1::text, $1::text || '_jobs')
  group by nspname
  order by nspname`

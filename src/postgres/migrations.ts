import { readFileSync } from 'node:fs'
import type { Sql } from './connection/connection.ts'
import type { Transaction } from './connection/database.ts'

/** The version of `schema.sql`, which creates the tables in an empty schema. */
const initialVersion = 4

/**
 * The steps between versions: the first step leads from version 1 to version 2. Once a release has shipped a step, it
 * never changes; a later step corrects it. While machines are upgraded one by one, programs that know only
 * the previous version go on using the tables. So a step adds optional things, and removes nothing that these programs
 * use. `docs/decisions.md` lists the changes that a step may make.
 */
export const migrations: readonly Migration[] = [
  {
    sql: `
      alter table deliveries rename column recovered to pulled;
      alter table tombstones rename column recovered to pulled`,
    minVersion: 2,
  },
  // A program of version 2 does not set it, so all tasks that this program claims count at once.
  { sql: 'alter table tasks add column claimed_ahead boolean not null default false' },
  {
    // Indexes for the search. Those of texts sort by bytes, so that all texts with the same beginning are together.
    sql: `
      create index deliveries_number on deliveries (number, id) where number is not null;
      create index deliveries_sha on deliveries (sha collate "C", id) where sha is not null;
      create index deliveries_ref on deliveries (ref collate "C", id) where ref is not null`,
  },
]

export interface Migration {
  sql: string
  /** The lowest version that a program must know to use the tables afterwards. Default: the step does not change it. */
  minVersion?: number
}

/** The newest schema version that a program with these steps knows. */
export const newestVersion = (steps: readonly Migration[] = migrations): number => 1 + steps.length

/** The version of the tables, and the lowest version that a program must know to use them. */
export interface SchemaVersion {
  version: number
  minVersion: number
}

/**
 * Brings the schema up to date. The caller makes sure that no other process migrates it at the same time.
 * @returns the number of applied steps, `schema.sql` included. @throws if the schema is too new for this program.
 */
export async function migrate(transaction: Transaction, steps: readonly Migration[] = migrations): Promise<number> {
  const before = await schemaVersion(transaction)
  checkVersion(before, steps)
  const schema = new URL('../postgres/schema.sql', import.meta.url)
  if (before.version === 0) await transaction.script(readFileSync(schema, 'utf8'))
  const version = before.version || initialVersion
  const missing = steps.slice(version - 1)
  for (const [index, { sql, minVersion }] of missing.entries()) {
    await transaction.script(sql)
    await transaction.run(insertVersion, version + index + 1, minVersion ?? null)
  }
  return missing.length + (before.version === 0 ? 1 : 0)
}

/** Returns version 0 if the tables do not exist yet. */
export async function schemaVersion(sql: Sql): Promise<SchemaVersion> {
  const exists = await sql.get(`select 1 where to_regclass('schema_migrations') is not null`)
  return (exists ? await sql.get<SchemaVersion>(selectVersion) : undefined) ?? { version: 0, minVersion: 0 }
}

/** @throws if the schema is too new for this program. */
export function checkVersion({ version, minVersion }: SchemaVersion, steps: readonly Migration[] = migrations): void {
  const known = newestVersion(steps)
  if (minVersion <= known) return
  throw new Error(
    `it was changed by a newer hookserver (schema ${version}; this one knows ${known}): upgrade hookserver`,
  )
}

const selectVersion = 'select max(version) as version, max(min_version) as "minVersion" from schema_migrations'

const insertVersion = `
  insert into schema_migrations (version, min_version)
  select $1, coalesce($2, max(min_version)) from schema_migrations`

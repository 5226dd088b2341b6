import { readFileSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'

/** Marks a file as hookserver's: "hook" in ASCII. */
export const applicationId = 0x686f6f6b

/** The version of `schema.sql`, which creates the tables in an empty file. */
const initialVersion = 4

/**
 * The steps between versions: the first step leads from version 1 to version 2. Once a release has shipped a step, this
 * step never changes; a later step corrects it.
 */
export const migrations: readonly string[] = [
  `alter table deliveries rename column recovered to pulled;
   alter table tombstones rename column recovered to pulled`,
  'alter table tasks add column claimed_ahead integer not null default 0',

  // Indexes for the search.
  `create index deliveries_number on deliveries (number) where number is not null;
   create index deliveries_sha on deliveries (sha) where sha is not null;
   create index deliveries_ref on deliveries (ref) where ref is not null`,
]

/**
 * Brings the schema up to date in one transaction, which also marks the file as hookserver's. So a process that is
 * killed during the migration leaves no file that looks like another program's.
 * @throws if the file has a newer schema than this program knows.
 */
export function migrate(db: DatabaseSync, steps: readonly string[] = migrations): void {
  const newest = 1 + steps.length
  db.exec('begin immediate')
  try {
    const { user_version: version } = db.prepare('pragma user_version').get() as { user_version: number }
    if (version > newest) {
      throw new Error(
        `it was written by a newer hookserver (schema ${version}; this one knows ${newest}): upgrade hookserver`,
      )
    }
    if (version === 0) db.exec(readFileSync(new URL('../sqlite/schema.sql', import.meta.url), 'utf8'))
    for (const step of steps.slice((version || initialVersion) - 1)) db.exec(step)
    if (version < newest) db.exec(`pragma user_version = ${newest}`)
    db.exec('commit')
  } catch (error) {
    if (db.isTransaction) db.exec('rollback')
    throw error
  }
}

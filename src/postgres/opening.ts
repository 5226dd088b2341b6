import { forgetOtherServer } from './changes.ts'
import type { Session } from './connection.ts'
import type { Database } from './database.ts'
import { Jobs, jobsLevel, jobsSchema } from './jobs.ts'
import { checkLevel, levelOf, migrate, steps } from './migrations.ts'
import type { PostgresSettings } from './options.ts'

/**
 * Makes our tables and pg-boss's, or brings them up to date. Of programs that start together the others wait for the
 * first.
 * @returns how many steps of our own were taken.
 * @throws {Error} naming the cure.
 */
export async function prepareDatabase(database: Database, settings: PostgresSettings): Promise<number> {
  const taken = await database.transaction(async (session) => {
    await session.run('select pg_advisory_xact_lock(hashtextextended($1, 0))', `hookserver migrates ${settings.schema}`)
    for (const schema of [settings.schema, jobsSchema(settings.schema)]) {
      if (!(await exists(session, schema))) await session.script(`create schema ${schema}`)
    }
    const taken = await migrate(session)
    await forgetOtherServer(session)
    return taken
  })
  const jobs = new Jobs(database, settings.schema, { supervises: false })
  await jobs.start()
  await jobs.stop()
  return taken
}

/** @throws {Error} if the tables are not there, or not as this program needs them. */
export async function checkDatabase(database: Database, { schema }: PostgresSettings): Promise<void> {
  await database.transaction(async (session) => {
    const [jobs, cure] = [jobsSchema(schema), 'run "hookserver migrate", or leave out the option "migrate"']
    for (const table of [`${schema}.levels`, `${jobs}.version`]) {
      if (await session.get('select 1 where to_regclass($1) is not null', table)) continue
      throw new Error(`there are no tables in its schema ${schema}: ${cure}`)
    }
    const level = await levelOf(session)
    if (level.taken < steps.length) throw new Error(`its tables are of an older hookserver: ${cure}`)
    checkLevel(level)
    const theirs = await session.get<{ version: number }>(`select version from ${jobs}.version`)
    if (!theirs || theirs.version < jobsLevel) throw new Error(`its tables are of an older pg-boss: ${cure}`)
    await forgetOtherServer(session)
  })
}

async function exists(session: Session, schema: string): Promise<boolean> {
  return (await session.get('select 1 from pg_namespace where nspname = $1', schema)) !== undefined
}

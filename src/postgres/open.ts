import { setTimeout } from 'node:timers/promises'
import { resetIfMoved } from './changes.ts'
import type { Session } from './connection.ts'
import type { Database } from './database.ts'
import { JobQueue, jobSchemaVersion } from './job-queue.ts'
import { checkVersion, type Migration, migrate, migrations, newestVersion, schemaVersion } from './migrations.ts'
import { jobsSchema, type PostgresSettings } from './options.ts'

/** Milliseconds that a step waits for a table: whoever waits for one holds up all who come after it. */
const lockTimeout = 2000

/** How often it is begun again that could not be had, and milliseconds between two looks. */
const [maxTries, pause] = [15, 1000]

/**
 * Makes our tables and pg-boss's, or brings them up to date. Of programs that start together the others wait for the
 * first, for as long as it takes.
 * @returns how many steps of our own were taken.
 * @throws {Error} naming the cure.
 */
export async function prepareDatabase(
  database: Database,
  { schema }: PostgresSettings,
  steps: readonly Migration[] = migrations,
): Promise<number> {
  const taken = await runSteps(database, schema, steps)
  const jobs = new JobQueue(database, schema, { supervises: false })
  await jobs.start()
  await jobs.stop()
  return taken
}

async function runSteps(database: Database, schema: string, steps: readonly Migration[]): Promise<number> {
  for (let tries = 1; ; ) {
    try {
      const taken = await database.transaction((session) => runStepsAlone(session, schema, steps))
      if (taken !== undefined) return taken
    } catch (error) {
      if ((error as { code?: string }).code !== lockNotAvailable || tries++ >= maxTries) throw error
    }
    await setTimeout(pause)
  }
}

/** @returns `undefined` while another does it. */
async function runStepsAlone(
  session: Session,
  schema: string,
  steps: readonly Migration[],
): Promise<number | undefined> {
  if (!(await session.get<{ own: boolean }>(tryLock, `hookserver migrates ${schema}`))?.own) return undefined
  await session.script(`set local statement_timeout to 0; set local lock_timeout to ${lockTimeout}`)
  for (const name of [schema, jobsSchema(schema)]) {
    if (!(await exists(session, name))) await session.script(`create schema "${name}"`)
  }
  const taken = await migrate(session, steps)
  await resetIfMoved(session)
  return taken
}

/** @throws {Error} if the tables are not there, or not as this program needs them. */
export async function checkDatabase(database: Database, { schema }: PostgresSettings): Promise<void> {
  await database.transaction(async (session) => {
    const [jobs, cure] = [jobsSchema(schema), 'run "hookserver migrate", or leave out the option "migrate"']
    for (const table of [`"${schema}".schema_migrations`, `${jobs}.version`]) {
      if (await session.get('select 1 where to_regclass($1) is not null', table)) continue
      throw new Error(`there are no tables in its schema ${schema}: ${cure}`)
    }
    const current = await schemaVersion(session)
    if (current.version < newestVersion()) throw new Error(`its tables are of an older hookserver: ${cure}`)
    checkVersion(current)
    const theirs = await session.get<{ version: number }>(`select version from ${jobs}.version`)
    if (!theirs || theirs.version < jobSchemaVersion) throw new Error(`its tables are of an older pg-boss: ${cure}`)
    await resetIfMoved(session)
  })
}

async function exists(session: Session, schema: string): Promise<boolean> {
  return (await session.get('select 1 from pg_namespace where nspname = $1', schema)) !== undefined
}

const tryLock = 'select pg_try_advisory_xact_lock(hashtextextended($1, 0)) as own'

/** PostgreSQL's code for a lock that could not be had in time. */
const lockNotAvailable = '55P03'

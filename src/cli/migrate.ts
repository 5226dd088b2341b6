import type { Command } from 'commander'
import { plural } from '../runtime/format.ts'
import { isFile, shownDatabase } from '../server/config/database-settings.ts'
import type { Config } from '../server/config/resolve-config.ts'
import { explained } from '../server/database-errors.ts'
import { loadPostgres, openPassively, stepsForFile } from '../server/open-inbox.ts'
import { addDatabaseFlags, configFromFlags, type DatabaseFlags } from './flags.ts'
import { jsonLine, printLines } from './output.ts'

export function addMigrate(program: Command): void {
  const command = program
    .command('migrate')
    .summary('Create a database, or migrate it to this version')
    .description(
      'Migrates a database to this version, or creates it. A server does the same when it starts. ' +
        'Use this command to migrate earlier, or if your servers run with --database-migrate false.',
    )
  addDatabaseFlags(command).option('--json', 'Print one JSON object').addHelpText('after', examples).action(migrate)
}

const examples = `
An older version cannot open a newer file: make a backup first if you may want to downgrade.
In PostgreSQL this command creates the tables, but not the database.

Examples:
  hookserver migrate
  hookserver migrate --database /var/lib/hookserver/hookserver.db
  hookserver migrate --database postgres://hooks@db.example/hooks`

async function migrate(flags: DatabaseFlags & { json?: true }): Promise<void> {
  const config = configFromFlags(flags)
  const result = isFile(config.database.value) ? await migrateFile(config) : await migratePostgres(config)
  const database = shownDatabase(config.database.value)
  await printLines([flags.json ? jsonLine({ database, ...result }) : `${database} ${textOf(result)}.`])
}

interface Result {
  result: 'created' | 'migrated' | 'up to date'
  /** Steps of the migration, if the tables existed or are in PostgreSQL. */
  steps?: number
}

function textOf({ result, steps = 0 }: Result): string {
  if (result === 'migrated') return `was migrated in ${plural(steps, 'step')}`
  return result === 'created' ? 'was created' : 'is up to date'
}

async function migrateFile(config: Config): Promise<Result> {
  const steps = stepsForFile(config.database.value)
  await (await openPassively(config)).close() // opening a file migrates it
  if (steps === undefined) return { result: 'created' }
  return steps === 0 ? { result: 'up to date' } : { result: 'migrated', steps }
}

async function migratePostgres({ database, databaseSchema }: Config): Promise<Result> {
  const { migratePostgres: migrateTables } = await loadPostgres()
  const { value: address } = database
  const { taken } = await migrateTables(address, { schema: databaseSchema.value }).catch((cause: Error) => {
    throw explained(cause, address)
  })
  return taken === 0 ? { result: 'up to date' } : { result: 'migrated', steps: taken }
}

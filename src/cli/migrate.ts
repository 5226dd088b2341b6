import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import type { Config } from '../server/config.ts'
import { explained, openToLook } from '../server/inbox.ts'
import { loadPostgres } from '../server/load-postgres.ts'
import { isFile, shownDatabase } from '../server/settings/database.ts'
import { counted, printLines } from './printing.ts'
import { addDatabase, type DatabaseFlag, readConfig } from './starting.ts'

export function addMigrate(program: Command): void {
  const command = program
    .command('migrate')
    .summary('bring a database up to date')
    .description(
      'Brings a database up to date with this version, and makes one that is not there. A server does it by itself when it starts; ' +
        'this is for those who want it done before, as those who serve with --database-migrate false have to.',
    )
  addDatabase(command)
  command.addHelpText('after', examples)
  command.action(migrate)
}

const examples = `
An older version does not open a newer file: make a backup first, if you may want to go back. In PostgreSQL tables are
made; the database has to be there.

Examples:
  hookserver migrate
  hookserver migrate --database /var/lib/hookserver/hookserver.db
  hookserver migrate --database postgres://hooks@db.example/hooks`

async function migrate(flags: Partial<Record<DatabaseFlag, string>>): Promise<void> {
  const config = readConfig({ flags: { ...flags }, env: process.env })
  const done = isFile(config.database.value) ? await migrateFile(config) : await migrateServer(config)
  await printLines([`${shownDatabase(config.database.value)} ${done}.`])
}

async function migrateFile(config: Config): Promise<string> {
  const wasThere = existsSync(config.database.value)
  await (await openToLook(config)).close() // whoever opens it brings it up to date
  return wasThere ? 'is up to date' : 'was made'
}

async function migrateServer({ database, databaseSchema }: Config): Promise<string> {
  const { migratePostgres } = await loadPostgres()
  const { value: address } = database
  const { taken } = await migratePostgres(address, { schema: databaseSchema.value }).catch((cause: Error) => {
    throw explained(cause, address)
  })
  return taken === 0 ? 'is up to date' : `was brought up to date, in ${counted(taken, 'step')}`
}

import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import { openToLook } from '../server/inbox.ts'
import { printLines } from './printing.ts'
import { addSetting, readConfig } from './starting.ts'

interface Flags {
  database?: string
}

export function addMigrate(program: Command): void {
  const command = program
    .command('migrate')
    .summary('bring a database up to date')
    .description(
      'Brings a database up to date with this version, and makes one that is not there. A server does it by itself when it starts; ' +
        'this is for those who want it done before.',
    )
  addSetting(command, 'database')
  command.addHelpText('after', examples)
  command.action(migrate)
}

const examples = `
An older version does not open a newer database: make a backup first, if you may want to go back.

Examples:
  hookserver migrate
  hookserver migrate --database /var/lib/hookserver/hookserver.db`

async function migrate(flags: Flags): Promise<void> {
  const { database } = readConfig({ flags: { ...flags }, env: process.env })
  const wasThere = existsSync(database.value)
  await openToLook({ database }).close() // whoever opens it brings it up to date
  await printLines([`${database.value} ${wasThere ? 'is up to date' : 'was made'}.`])
}

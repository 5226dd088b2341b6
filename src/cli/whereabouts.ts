import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import type { Inbox } from '../inbox/inbox.ts'
import { type Config, flagOf, variablesOf } from '../server/config.ts'
import { type DatabaseConfig, openToLook } from '../server/inbox.ts'
import { readToken } from '../server/secret.ts'
import { isFile } from '../server/settings/database.ts'
import type { SettingName } from '../server/settings.ts'
import { UsageError } from './errors.ts'
import type { Operator } from './operator.ts'
import { RemoteOperator } from './remote.ts'
import { addSetting, type DatabaseFlag, databaseFlags, readConfig, variablesFor } from './starting.ts'

/** Where the deliveries are. */
export type Whereabouts = Partial<Record<Where, string>>

type Where = DatabaseFlag | Extract<SettingName, 'adminUrl' | 'adminToken' | 'adminTokenFile'>

const names: readonly Where[] = [...databaseFlags, 'adminUrl', 'adminToken', 'adminTokenFile']

const help: Readonly<Partial<Record<Where, string>>> = {
  adminUrl: 'the admin address of a server far away, in place of a database',
  adminToken: 'what that server lets you in with; better in its variable, or in a file',
}

/** Gives a command the options that say where the deliveries are. */
export function addWhereabouts(command: Command): Command {
  for (const name of names) addSetting(command, name, help[name])
  return command
}

/** Does something with the deliveries, and lets go of them whatever comes of it. */
export async function withOperator<Result>(
  flags: Whereabouts,
  work: (operator: Operator) => Promise<Result>,
): Promise<Result> {
  const operator = openRemote(flags) ?? (await openLocal(configOf(flags)))
  try {
    return await work(operator)
  } finally {
    await operator.close()
  }
}

/** The server far away, if one is named. */
export function openRemote(flags: Whereabouts): RemoteOperator | undefined {
  const local = databaseFlags.find((name) => flags[name] !== undefined)
  if (local !== undefined && flags.adminUrl !== undefined) {
    throw new UsageError(`${flagOf(local)} and --admin-url: the deliveries are in one place, name that one`)
  }
  const config = configOf(flags)
  const { value: url } = config.adminUrl
  if (url === undefined || local !== undefined) return undefined
  return new RemoteOperator(url, tokenOf(config))
}

/** Only of what is asked for here: a port that is no port must not keep anybody from looking at deliveries. */
function configOf(given: Whereabouts): Config {
  const flags = Object.fromEntries(names.map((name) => [name, given[name]]))
  return readConfig({ flags, env: variablesFor(names) })
}

/** The database of this machine, which must be there. @throws {Error} naming the cure. */
export async function openLocal(config: DatabaseConfig): Promise<Inbox> {
  const { database } = config
  if (isFile(database.value) && !existsSync(database.value)) {
    const told = database.source ? ` (${database.source})` : ''
    throw new Error(
      `There is no database ${database.value}${told}: name the server's with --database, or its address with --admin-url`,
    )
  }
  return openToLook(config)
}

function tokenOf({ adminToken, adminTokenFile }: Config): string {
  if (adminToken.value !== undefined) return adminToken.value
  if (adminTokenFile.value !== undefined) return readToken(adminTokenFile.value)
  const cures = [flagOf('adminTokenFile'), ...variablesOf('adminToken')].join(' or ')
  throw new UsageError(
    `A server far away asks for its token, which it keeps beside its database: give it with ${cures}`,
  )
}

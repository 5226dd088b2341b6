/** Flags that name the deliveries to work on: a database that this machine reaches, or a remote server. */
import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import type { Inbox } from '../inbox/inbox.ts'
import { isFile } from '../server/config/database-settings.ts'
import { type Config, flagOf, variablesOf } from '../server/config/resolve-config.ts'
import { readToken } from '../server/config/secret.ts'
import type { SettingName } from '../server/config/settings.ts'
import { type DatabaseConfig, openPassively } from '../server/open-inbox.ts'
import { type AdminClient, RemoteAdminClient } from './admin-client.ts'
import { addConfigFlag, type DatabaseFlag, databaseFlags, environmentFor, readConfig } from './config-flags.ts'
import { UsageError } from './errors.ts'

export type ConnectionFlags = Partial<Record<ConnectionFlag, string>>

type ConnectionFlag = DatabaseFlag | Extract<SettingName, 'adminUrl' | 'adminToken' | 'adminTokenFile'>

const names: readonly ConnectionFlag[] = [...databaseFlags, 'adminUrl', 'adminToken', 'adminTokenFile']

const help: Readonly<Partial<Record<ConnectionFlag, string>>> = {
  adminUrl: 'Admin address of a remote server, in place of a database',
  adminToken: 'Token of that server; prefer the variable or a file',
  adminTokenFile: 'File that holds the token',
}

export function addConnectionFlags(command: Command): Command {
  for (const name of names) addConfigFlag(command, name, help[name])
  return command
}

/** Opens a client for `work`, and closes it afterwards. */
export async function withClient<Result>(
  flags: ConnectionFlags,
  work: (client: AdminClient) => Promise<Result>,
): Promise<Result> {
  const client = openRemote(flags) ?? (await openLocal(connectionConfig(flags)))
  try {
    return await work(client)
  } finally {
    await client.close()
  }
}

/** The remote server, if the flags name one. */
export function openRemote(flags: ConnectionFlags): RemoteAdminClient | undefined {
  const local = databaseFlags.find((name) => flags[name] !== undefined)
  if (local !== undefined && flags.adminUrl !== undefined) {
    throw new UsageError(`${flagOf(local)} and --admin-url exclude each other: leave one of them out`)
  }
  const config = connectionConfig(flags)
  const { value: url } = config.adminUrl
  if (url === undefined || local !== undefined) return undefined
  return new RemoteAdminClient(url, requireToken(config))
}

/** Only these settings: a mistake in another one, such as a port, must not stop a command that does not use it. */
function connectionConfig(given: ConnectionFlags): Config {
  const flags = Object.fromEntries(names.map((name) => [name, given[name]]))
  return readConfig({ flags, env: environmentFor(names) })
}

/** Opens a database that exists. */
export async function openLocal(config: DatabaseConfig): Promise<Inbox> {
  const { database } = config
  if (isFile(database.value) && !existsSync(database.value)) {
    const source = database.source ? ` (${database.source})` : ''
    throw new Error(
      `There is no database ${database.value}${source}: pass the server's with --database, or its address with --admin-url`,
    )
  }
  return openPassively(config)
}

function requireToken({ adminToken, adminTokenFile }: Config): string {
  if (adminToken.value !== undefined) return adminToken.value
  if (adminTokenFile.value !== undefined) return readToken(adminTokenFile.value)
  const sources = [flagOf('adminTokenFile'), ...variablesOf('adminToken')].join(' or ')
  throw new UsageError(`A remote server needs its token, which it keeps next to its database: pass it with ${sources}`)
}

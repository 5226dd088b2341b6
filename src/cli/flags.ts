/** Flags for the settings of a server, and flags that name the database or the remote server to use. */
import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import type { Store } from '../inbox/inbox.ts'
import { isFile } from '../server/config/database-settings.ts'
import { type Config, type ConfigSources, flagOf, resolveConfig, variablesOf } from '../server/config/resolve-config.ts'
import { readToken, withDatabaseUrl } from '../server/config/secret-files.ts'
import { isBoolean } from '../server/config/setting.ts'
import { type SettingName, settings } from '../server/config/settings.ts'
import { type DatabaseConfig, openPassively } from '../server/open-inbox.ts'
import { type AdminClient, localAdminClient, type RemoteAdminClient, remoteAdminClient } from './admin-client.ts'
import { addEnvFileFlags } from './env-file-flags.ts'

/** A mistake on the command line. */
export class UsageError extends Error {}

/** An invalid value of a flag or argument. */
export const invalidValue = (name: string, expected: string, text: string): UsageError =>
  new UsageError(`${name}: expected ${expected}, got ${JSON.stringify(text)}`)

/** A parser for a flag. It throws a {@link UsageError}. */
export const wholeNumber =
  (flag: string, max: number) =>
  (text: string): number => {
    const number = Number(text)
    if (/^\d+$/.test(text) && number >= 1 && number <= max) return number
    throw invalidValue(flag, `a whole number from 1 to ${max}`, text)
  }

/** Flags as they were typed; a flag without a value is `true`. */
export type ConfigFlags = Partial<Record<SettingName, string | true | undefined>>

const allSettings = Object.keys(settings) as SettingName[]

const flagsWithoutValue = new Set(
  allSettings.filter((name) => settings[name].placeholder === '[boolean]').map((name) => flagOf(name)),
)

/** Writes `--dev hooks.ts` as `--dev=true hooks.ts`. Commander would take the module as the value of the flag. */
export const withBooleans = (args: readonly string[]): string[] =>
  args.map((arg, index) => (flagsWithoutValue.has(arg) && !isBoolean(args[index + 1] ?? '') ? `${arg}=true` : arg))

/** Adds a flag for each setting, and the flags that name the `.env` file. */
export function addConfigFlags(command: Command): Command {
  for (const name of allSettings) addConfigFlag(command, name)
  return addEnvFileFlags(command)
}

/** Adds the flag of a setting. @param help Default: the help of the setting. */
export function addConfigFlag(command: Command, name: SettingName, help: string = settings[name].help): Command {
  return command.option(`${flagOf(name)} ${settings[name].placeholder}`, `${help} [${variablesOf(name).join(', ')}]`)
}

interface ConfigOptions extends Pick<ConfigSources, 'flagNames' | 'module'> {
  /** The settings that the command uses. A mistake in another setting does not stop it. Default: all. */
  names?: readonly SettingName[]
}

/** The configuration from flags, environment and module. @throws {ConfigError} with every mistake. */
export function configFromFlags(given: ConfigFlags, { names = allSettings, ...sources }: ConfigOptions = {}): Config {
  const flags = Object.fromEntries(names.map((name) => [name, given[name]?.toString()]))
  const env = Object.fromEntries(names.flatMap(variablesOf).map((variable) => [variable, process.env[variable]]))
  return withDatabaseUrl(resolveConfig({ flags, env, ...sources }))
}

export const databaseFlags = ['database', 'databaseUrlFile', 'databaseSchema'] as const
export type DatabaseFlags = Partial<Record<(typeof databaseFlags)[number], string>>

/**
 * Adds the flags that name a database and the `.env` file. @param help The help of `--database`. Default: that of the
 * setting.
 */
export function addDatabaseFlags(command: Command, help?: string): Command {
  for (const name of databaseFlags) addConfigFlag(command, name, name === 'database' ? help : undefined)
  return addEnvFileFlags(command)
}

/** The remote server of commands. `--admin-url` and its variable are settings of `serve`: the URL for browsers. */
const serverFlag = '--server'
const serverVariable = 'HOOKSERVER_SERVER'

const connectionFlags = [...databaseFlags, 'adminToken', 'adminTokenFile'] as const
export type ConnectionFlags = Partial<Record<(typeof connectionFlags)[number] | 'server', string>>

/** Adds the flags that name a database or a remote server, and the flags that name the `.env` file. */
export function addConnectionFlags(command: Command): Command {
  for (const name of databaseFlags) addConfigFlag(command, name)
  command.option(`${serverFlag} <url>`, `Admin URL of a remote server to use instead of a database [${serverVariable}]`)
  addConfigFlag(command, 'adminToken', 'Admin token of the remote server; prefer the variable or a file')
  addConfigFlag(command, 'adminTokenFile')
  return addEnvFileFlags(command)
}

/** Opens a client for `work`, and closes it afterwards. */
export async function withClient<Result>(
  flags: ConnectionFlags,
  work: (client: AdminClient) => Promise<Result>,
): Promise<Result> {
  const client =
    openRemote(flags) ?? localAdminClient(await openLocal(configFromFlags(flags, { names: connectionFlags })))
  try {
    return await work(client)
  } finally {
    await client.close()
  }
}

/**
 * The remote server that a flag or the environment names. `undefined` if neither names one, or if a flag names a
 * database.
 * @throws {UsageError} if flags name a database and a remote server, or if the admin token is missing.
 */
export function openRemote(flags: ConnectionFlags): RemoteAdminClient | undefined {
  const local = databaseFlags.find((name) => flags[name] !== undefined)
  if (local !== undefined && flags.server !== undefined) {
    throw new UsageError(`${flagOf(local)} and ${serverFlag} cannot be used together: leave one of them out`)
  }
  const address = flags.server ?? (process.env[serverVariable] || undefined)
  if (address === undefined || local !== undefined) return undefined
  const isFlag = flags.server !== undefined
  const config = configFromFlags(
    { ...flags, adminUrl: address },
    {
      names: ['adminUrl', 'adminToken', 'adminTokenFile'],
      flagNames: { adminUrl: isFlag ? serverFlag : `the environment variable ${serverVariable}` },
    },
  )
  const url = config.adminUrl.value as string
  return remoteAdminClient(url, requireToken(config, isFlag), isFlag ? url : `${url} (${serverVariable})`)
}

function requireToken({ adminToken, adminTokenFile }: Config, isFlag: boolean): string {
  if (adminToken.value !== undefined) return adminToken.value
  if (adminTokenFile.value !== undefined) return readToken(adminTokenFile.value)
  const sources = [flagOf('adminTokenFile'), ...variablesOf('adminToken')].join(' or ')
  const local = isFlag ? '' : '. To use a database of this machine instead, pass --database'
  const remote = isFlag ? serverFlag : serverVariable
  throw new UsageError(`${remote} needs the admin token of that server: pass it with ${sources}${local}`)
}

/** Opens a database. @throws {Error} if it is an SQLite file that does not exist. */
export async function openLocal(config: DatabaseConfig): Promise<Store> {
  const { value: path, source } = config.database
  if (!isFile(path) || existsSync(path)) return openPassively(config)
  const found = `There is no database ${path}${source ? ` (${source})` : ''}`
  const cure = 'start the server once to create it, or run this command in the folder of the server'
  throw new Error(`${found}: ${cure}. For another database, pass --database. For a remote server, pass ${serverFlag}`)
}

/** Flags for the settings of a server, and the configuration that they give with environment and module. */
import type { Command } from 'commander'
import type { HooksModule } from '../server/config/hooks-module.ts'
import {
  type Config,
  ConfigError,
  type ConfigSources,
  flagOf,
  resolveConfig,
  variablesOf,
  withDatabaseUrl,
} from '../server/config/resolve-config.ts'
import { type SettingName, settings } from '../server/config/settings.ts'
import { UsageError } from './errors.ts'

/** Flags as they were typed; a flag without a value is `true`. */
export type ConfigFlags = Partial<Record<SettingName, string | true>>

/** Adds a flag for each setting. */
export function addConfigFlags(command: Command): void {
  for (const name of Object.keys(settings) as SettingName[]) addConfigFlag(command, name)
}

/** Adds the flag of a setting. @param help If it differs from the server's. */
export function addConfigFlag(command: Command, name: SettingName, help: string = settings[name].help): void {
  command.option(`${flagOf(name)} ${settings[name].placeholder}`, `${help} [${variablesOf(name).join(', ')}]`)
}

export type DatabaseFlag = Extract<SettingName, 'database' | 'databaseUrlFile' | 'databaseSchema'>
export type DatabaseFlags = Partial<Record<DatabaseFlag, string>>

export const databaseFlags: readonly DatabaseFlag[] = ['database', 'databaseUrlFile', 'databaseSchema']

/** Adds the flags that name a database. @param help Of `--database`, if it differs from the server's. */
export function addDatabaseFlags(command: Command, help?: string): void {
  for (const name of databaseFlags) addConfigFlag(command, name, name === 'database' ? help : undefined)
}

/** @throws {UsageError} with every mistake. */
export function configFromFlags(given: ConfigFlags, module?: HooksModule): Config {
  const flags = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, String(value)]))
  return readConfig({ flags, env: process.env, module })
}

/** @throws {UsageError} with every mistake. */
export const readConfig = (sources: ConfigSources): Config =>
  withUsageErrors(() => withDatabaseUrl(resolveConfig(sources)))

/** Turns a {@link ConfigError} into a {@link UsageError}. */
export function withUsageErrors<Result>(work: () => Result): Result {
  try {
    return work()
  } catch (error) {
    throw error instanceof ConfigError ? new UsageError(error.message) : error
  }
}

/** The environment variables of these settings alone: a mistake in another one must not stop a command. */
export function environmentFor(names: readonly SettingName[]): Record<string, string | undefined> {
  return Object.fromEntries(names.flatMap(variablesOf).map((variable) => [variable, process.env[variable]]))
}

/** What a server is started with, for whoever starts one and whoever looks whether it could be started. */
import type { Command } from 'commander'
import { type Config, ConfigError, flagOf, type Layers, resolveConfig, variablesOf } from '../server/config.ts'
import { withDatabaseUrl } from '../server/database-url.ts'
import type { HooksModule } from '../server/module.ts'
import { devSecretFile, keepRandom, randomSecret, readSecrets, secretIn } from '../server/secret.ts'
import { type SettingName, settings } from '../server/settings.ts'
import { UsageError } from './errors.ts'

/** As they were typed; one without a value is `true`. */
export type Flags = Partial<Record<SettingName, string | true>>

/** Gives a command a flag for each setting. */
export function addSettings(command: Command): void {
  for (const name of Object.keys(settings) as SettingName[]) addSetting(command, name)
}

/** Gives a command the flag of a setting. @param help Where it means something else than to a server. */
export function addSetting(command: Command, name: SettingName, help: string = settings[name].help): void {
  command.option(`${flagOf(name)} ${settings[name].placeholder}`, `${help} [${variablesOf(name).join(', ')}]`)
}

/** What says which database is meant. */
export type DatabaseFlag = Extract<SettingName, 'database' | 'databaseUrlFile' | 'databaseSchema'>

export const databaseFlags: readonly DatabaseFlag[] = ['database', 'databaseUrlFile', 'databaseSchema']

/** Gives a command the flags that say which database is meant. @param help What the first of them is, where it is not the server's. */
export function addDatabase(command: Command, help?: string): void {
  for (const name of databaseFlags) addSetting(command, name, name === 'database' ? help : undefined)
}

export interface FoundSecret {
  value: string | readonly string[]
  source: string
}

/** @throws {UsageError} for all that is wrong, at once. */
export function configOf(given: Flags, module?: HooksModule): Config {
  const flags = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, String(value)]))
  return readConfig({ flags, env: process.env, module })
}

/** @throws {UsageError} for all that is wrong, at once. */
export const readConfig = (layers: Layers): Config => asUsage(() => withDatabaseUrl(resolveConfig(layers)))

/** @throws {UsageError} for what `work` finds wrong with the settings. */
export function asUsage<Result>(work: () => Result): Result {
  try {
    return work()
  } catch (error) {
    throw error instanceof ConfigError ? new UsageError(error.message) : error
  }
}

/** The variables of these settings alone: what is wrong with others must not keep a command from its work. */
export function variablesFor(names: readonly SettingName[]): Record<string, string | undefined> {
  return Object.fromEntries(names.flatMap(variablesOf).map((variable) => [variable, process.env[variable]]))
}

/**
 * The secret of whoever starts the server, if it is not the module's affair. It is set in the environment before the
 * module is imported, whose `new Hooks()` would have none otherwise. Where nothing is received none is needed: then one
 * is set that nobody gets to know.
 */
export function findSecret({ secretFile, dev, pull }: Config): FoundSecret | undefined {
  const { env } = process
  if (secretFile.value !== undefined) {
    const value = readSecrets(secretFile.value)
    env.GITHUB_WEBHOOKS_KEY = value[0]
    return { value, source: secretFile.value }
  }
  const ofEnvironment = secretIn(env)
  if (!ofEnvironment && pull.value) env.GITHUB_WEBHOOKS_KEY = randomSecret()
  if (ofEnvironment || pull.value || !dev.value) return ofEnvironment
  const value = keepRandom(devSecretFile)
  env.GITHUB_WEBHOOKS_KEY = value
  return { value, source: devSecretFile }
}

/** What a server is started with, for whoever starts one and whoever looks whether it could be started. */
import type { Command } from 'commander'
import {
  type Config,
  ConfigError,
  flagOf,
  resolveConfig,
  type SettingName,
  settings,
  variablesOf,
} from '../server/config.ts'
import type { HooksModule } from '../server/module.ts'
import { devSecretFile, keepRandom, readSecrets } from '../server/secret.ts'
import { UsageError } from './usage-error.ts'

/** As they were typed; one without a value is `true`. */
export type Flags = Partial<Record<SettingName, string | true>>

/** Gives a command a flag for each setting. */
export function addSettings(command: Command): void {
  for (const [name, { placeholder, help }] of Object.entries(settings)) {
    const variables = variablesOf(name as SettingName).join(', ')
    command.option(`${flagOf(name)} ${placeholder}`, `${help} [${variables}]`)
  }
}

export interface FoundSecret {
  value: string | readonly string[]
  source: string
}

/** @throws {UsageError} for all that is wrong, at once. */
export function configOf(given: Flags, module?: HooksModule): Config {
  const flags = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, String(value)]))
  try {
    return resolveConfig({ flags, env: process.env, module })
  } catch (error) {
    throw error instanceof ConfigError ? new UsageError(error.message) : error
  }
}

/**
 * The secret of whoever starts the server, if it is not the module's affair. It is set in the environment before the
 * module is imported, whose `new Hooks()` would have none otherwise.
 */
export function findSecret({ secretFile, dev }: Config): FoundSecret | undefined {
  const { env } = process
  if (secretFile.value !== undefined) {
    const value = readSecrets(secretFile.value)
    env.GITHUB_WEBHOOKS_KEY = value[0]
    return { value, source: secretFile.value }
  }
  for (const name of ['GITHUB_WEBHOOKS_KEY', 'SECRET_KEY']) {
    if (env[name]) return { value: env[name], source: `the environment variable ${name}` }
  }
  if (!dev.value) return undefined
  const value = keepRandom(devSecretFile)
  env.GITHUB_WEBHOOKS_KEY = value
  return { value, source: devSecretFile }
}

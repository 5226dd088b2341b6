import { type Command, Option } from 'commander'
import type { HooksModule } from '../../server/config/hooks-module.ts'
import { type Config, flagOf, variablesOf } from '../../server/config/resolve-config.ts'
import { type Setting, wordsOf } from '../../server/config/setting.ts'
import { type SettingName, settings } from '../../server/config/settings.ts'
import { type ConfigFlags, type ConnectionFlags, configFromFlags, databaseFlags, UsageError } from '../flags.ts'

/** The flags that set a setting of the server. Most flags have shorter names than their settings. */
const settingOf = {
  publicUrl: 'publicUrl',
  mode: 'recoverMode',
  events: 'recoverEvents',
  includeOk: 'recoverIncludeOk',
  lookback: 'recoverLookback',
  pace: 'recoverPace',
  githubToken: 'githubToken',
  github: 'github',
  apiUrl: 'apiUrl',
} as const

type SettingFlag = keyof typeof settingOf

export interface SweepFlags extends ConnectionFlags, Partial<Record<Exclude<SettingFlag, 'includeOk'>, string>> {
  module?: string
  includeOk?: true
  dryRun?: true
  json?: true
}

const settingFlags = Object.entries(settingOf) as [SettingFlag, SettingName][]

/**
 * The settings that a sweep uses. No flag of this command sets the last three: `recover` comes from its arguments,
 * `path` from the environment or the module, `secretFile` from the environment.
 */
const usedSettings: readonly SettingName[] = [
  ...Object.values(settingOf),
  ...databaseFlags,
  ...(['recover', 'path', 'secretFile'] as const),
]

export function addSweepFlags(command: Command): Command {
  command.option('--module <module>', 'Module of the server, for its handlers and settings')
  for (const [flag, name] of settingFlags) {
    const setting = settings[name] as Setting
    const value = flag === 'includeOk' ? '' : ` ${setting.placeholder}`
    const option = new Option(`${flagOf(flag)}${value}`, `${setting.help} [${variablesOf(name).join(', ')}]`)
    const words = wordsOf(setting)
    command.addOption(words && value ? option.choices(words) : option)
  }
  return command
}

/** @throws {ConfigError} with every mistake. */
export function sweepConfig(targets: readonly string[], given: SweepFlags, module?: HooksModule | 'pending'): Config {
  const flags: ConfigFlags = { recover: targets.length > 0 ? targets.join() : undefined }
  const flagNames: Record<string, string> = { recover: `recover ${targets.join(' ')}` }
  for (const name of databaseFlags) flags[name] = given[name]
  for (const [flag, name] of settingFlags) {
    flags[name] = given[flag]
    flagNames[name] = flagOf(flag)
  }
  return configFromFlags(flags, { names: usedSettings, flagNames, module })
}

/** @throws {UsageError} if there are flags that a remote server cannot use. */
export function rejectSweepFlags(targets: readonly string[], flags: SweepFlags): void {
  const names: (keyof SweepFlags)[] = [...settingFlags.map(([flag]) => flag), 'module']
  const given = names.filter((name) => flags[name] !== undefined)
  const rejected = [...(targets.length > 0 ? ['the webhooks'] : []), ...given.map(flagOf)]
  if (rejected.length === 0) return
  throw new UsageError(`A remote server uses its own settings for the sweep: leave out ${rejected.join(', ')}`)
}

import { type Command, Option } from 'commander'
import type { HooksModule } from '../../server/config/hooks-module.ts'
import { type Config, flagOf, variablesOf } from '../../server/config/resolve-config.ts'
import { type Setting, wordsOf } from '../../server/config/setting.ts'
import { type SettingName, settings } from '../../server/config/settings.ts'
import { databaseFlags, environmentFor, readConfig } from '../config-flags.ts'
import type { ConnectionFlags } from '../connection-flags.ts'
import { UsageError } from '../errors.ts'

/** Flags that are settings of a server, most of them under a shorter name. */
const settingOf: Readonly<Record<SettingFlag, SettingName>> = {
  url: 'recoverUrl',
  mode: 'recoverMode',
  events: 'recoverEvents',
  includeOk: 'recoverIncludeOk',
  lookback: 'recoverLookback',
  pace: 'recoverPace',
  githubToken: 'githubToken',
  apiUrl: 'apiUrl',
}

type SettingFlag = 'url' | 'mode' | 'events' | 'includeOk' | 'lookback' | 'pace' | 'githubToken' | 'apiUrl'

export interface SweepFlags extends ConnectionFlags, Partial<Record<Exclude<SettingFlag, 'includeOk'>, string>> {
  module?: string
  includeOk?: true
  dryRun?: true
  json?: true
}

const settingFlags = Object.entries(settingOf) as [SettingFlag, SettingName][]

/** Settings without a flag here: they come from the environment or the module. */
const otherSettings: readonly SettingName[] = ['recover', ...databaseFlags, 'url', 'secretFile']

export function addSweepFlags(command: Command): void {
  command.option('--module <module>', "A server's module, for its handlers and its settings")
  for (const [flag, name] of settingFlags) {
    const setting = settings[name] as Setting
    const { help, placeholder } = setting
    const value = flag === 'includeOk' ? '' : ` ${placeholder}`
    const option = new Option(`${flagOf(flag)}${value}`, `${help} [${variablesOf(name).join(', ')}]`)
    const words = wordsOf(setting)
    command.addOption(words && value ? option.choices(words) : option)
  }
}

/** @throws {UsageError} with every mistake. */
export function sweepConfig(hooks: readonly string[], given: SweepFlags, module?: HooksModule): Config {
  const fromFlags = settingFlags.flatMap(([flag, name]) =>
    given[flag] === undefined ? [] : [[name, String(given[flag])]],
  )
  const database = Object.fromEntries(databaseFlags.map((name) => [name, given[name]]))
  const recover = hooks.length > 0 ? hooks.join() : undefined
  const flags = { ...Object.fromEntries(fromFlags), ...database, recover }
  const flagNames = {
    ...Object.fromEntries(settingFlags.map(([flag, name]) => [name, flagOf(flag)])),
    recover: 'hooks',
  }
  const env = environmentFor([...settingFlags.map(([, name]) => name), ...otherSettings])
  return readConfig({ flags, flagNames, env, module })
}

/** @throws {UsageError} if there are flags that a remote server cannot use. */
export function rejectSweepFlags(hooks: readonly string[], flags: SweepFlags): void {
  const given = settingFlags.flatMap(([flag]) => (flags[flag] === undefined ? [] : [flagOf(flag)]))
  const all = [
    ...(hooks.length > 0 ? ['the hooks'] : []),
    ...given,
    ...(flags.module === undefined ? [] : ['--module']),
  ]
  if (all.length === 0) return
  throw new UsageError(
    `A remote server recovers with the settings that it was started with: leave out ${all.join(', ')}`,
  )
}

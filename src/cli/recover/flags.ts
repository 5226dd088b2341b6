import { type Command, Option } from 'commander'
import { type Config, flagOf, variablesOf } from '../../server/config.ts'
import type { HooksModule } from '../../server/module.ts'
import type { Setting } from '../../server/setting.ts'
import { type SettingName, settings } from '../../server/settings.ts'
import { UsageError } from '../errors.ts'
import { databaseFlags, readConfig, variablesFor } from '../starting.ts'
import type { Whereabouts } from '../whereabouts.ts'

/** Flags that are settings of a server, most of them by a shorter name. */
const sweepFlags: Readonly<Record<SweepFlag, SettingName>> = {
  url: 'recoverUrl',
  mode: 'recoverMode',
  events: 'recoverEvents',
  includeOk: 'recoverIncludeOk',
  lookback: 'recoverLookback',
  pace: 'recoverPace',
  githubToken: 'githubToken',
  apiUrl: 'apiUrl',
}

type SweepFlag = 'url' | 'mode' | 'events' | 'includeOk' | 'lookback' | 'pace' | 'githubToken' | 'apiUrl'

export interface Flags extends Whereabouts, Partial<Record<Exclude<SweepFlag, 'includeOk'>, string>> {
  module?: string
  includeOk?: true
  dryRun?: true
  json?: true
}

const names = Object.entries(sweepFlags) as [SweepFlag, SettingName][]

/** Settings that have no flag here, and count by their variables or by the module. */
const others: readonly SettingName[] = ['recover', ...databaseFlags, 'url', 'secretFile']

export function addSweepFlags(command: Command): void {
  command.option('--module <module>', "a server's module: its handlers, and its settings where nothing else is said")
  for (const [flag, name] of names) {
    const { help, placeholder, parse } = settings[name] as Setting<unknown>
    const value = flag === 'includeOk' ? '' : ` ${placeholder}`
    const option = new Option(`${flagOf(flag)}${value}`, `${help} [${variablesOf(name).join(', ')}]`)
    command.addOption(parse.words && value ? option.choices(parse.words) : option)
  }
}

/** @throws {UsageError} for all that is wrong, at once. */
export function sweepConfig(hooks: readonly string[], given: Flags, module?: HooksModule): Config {
  const set = names.flatMap(([flag, name]) => (given[flag] === undefined ? [] : [[name, String(given[flag])]]))
  const database = Object.fromEntries(databaseFlags.map((name) => [name, given[name]]))
  const flags = { ...Object.fromEntries(set), ...database, recover: hooks.length > 0 ? hooks.join() : undefined }
  const flagNames = { ...Object.fromEntries(names.map(([flag, name]) => [name, flagOf(flag)])), recover: 'hooks' }
  return readConfig({ flags, flagNames, env: variablesFor([...names.map(([, name]) => name), ...others]), module })
}

/** @throws {UsageError} if more is wanted of a server far away than it does. */
export function refuseForRemote(hooks: readonly string[], flags: Flags): void {
  const given = names.flatMap(([flag]) => (flags[flag] === undefined ? [] : [flagOf(flag)]))
  const all = [
    ...(hooks.length > 0 ? ['the hooks'] : []),
    ...given,
    ...(flags.module === undefined ? [] : ['--module']),
  ]
  if (all.length === 0) return
  throw new UsageError(`A server far away recovers as it was told when it was started: leave out ${all.join(', ')}`)
}

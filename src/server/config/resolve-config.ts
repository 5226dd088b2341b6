import * as v from 'valibot'
import { suggestion } from '../../runtime/nearest.ts'
import type { Setting } from './setting.ts'
import { type SettingName, settings, type Values } from './settings.ts'

/** A value and its source: a flag, a variable or the module. `source` is `undefined` for a default. */
export interface ConfigValue<Value> {
  value: Value
  source: string | undefined
}

export type Config = { readonly [Name in SettingName]: ConfigValue<Values[Name]> }

/** The sources of settings. Flags take precedence over the environment, and the environment over the module. */
export interface ConfigSources {
  /** The values, by the names of `settings`. */
  flags: Readonly<Record<string, string | undefined>>
  /**
   * The flag or argument that messages mention for a setting. The keys are the names of the settings. A command sets
   * this if its flags have other names than those of `serve`. For a setting without an entry, messages mention the flag
   * of `serve`.
   */
  flagNames?: Readonly<Record<string, string>>
  env: Readonly<Record<string, string | undefined>>
  /** The `config` of a module, and the name of the module for error messages. */
  module?: { name: string; config: unknown } | undefined
}

/** The problems of a configuration. */
export class ConfigError extends Error {
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.problems = problems
  }
}

/** Messages never show the values of these settings, because they are secrets or may contain one. */
const hidden = new Set<SettingName>(['adminToken', 'readOnlyToken', 'githubToken', 'database', 'databaseUrlFile'])

/** @throws {ConfigError} that lists all problems. */
export function resolveConfig(sources: ConfigSources): Config {
  const problems: string[] = []
  const found = findAll(sources, moduleSettings(sources, problems), problems)
  const config = Object.fromEntries(
    settingNames.map((name) => [name, resolve(name, settings[name] as Setting, found[name], problems)]),
  )
  if (problems.length > 0) throw new ConfigError(problems)
  return config as Config
}

const settingNames = Object.keys(settings) as SettingName[]

function resolve(name: SettingName, setting: Setting, found: Found | undefined, problems: string[]) {
  if (!found) return { value: setting.default, source: undefined }
  const { text, source } = found
  const { success, output, issues } = v.safeParse(setting.schema, text, { abortPipeEarly: true })
  if (success) return { value: output, source }
  const got = hidden.has(name) ? '' : `, got ${JSON.stringify(withoutPassword(text))}`
  problems.push(`${source}: expected ${issues[0].message}${got}`)
  return undefined
}

/** Replaces the user and password of a URL. */
const withoutPassword = (text: string): string => text.replace(/:\/\/.*@/s, '://…@')

export const flagOf = (name: string): string => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`

/** The environment variables of a setting. The first that is set applies. */
export function variablesOf(name: SettingName): string[] {
  const own = `HOOKSERVER_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`
  return [own, ...((settings[name] as Setting).variables ?? [])]
}

interface Found {
  text: string
  source: string
  /** The source with the lowest number applies. */
  precedence: number
}

/** Each pair is a setting, and a second setting, which names a file that contains the value of the first. */
const inFiles: readonly [SettingName, SettingName][] = [
  ['adminToken', 'adminTokenFile'],
  ['readOnlyToken', 'readOnlyTokenFile'],
  ['database', 'databaseUrlFile'],
]

/**
 * Finds the text and the source of each setting. If one source sets a value, and another source sets the file with the
 * value, only the setting from the source with the higher precedence is kept. It is a problem if the precedence is the
 * same.
 *
 * The settings `github` and `apiUrl` belong together too. If the precedence of their sources differs, only the setting
 * from the source with the higher precedence is kept. If the precedence is the same, both settings are kept.
 */
function findAll(sources: ConfigSources, ofModule: Readonly<Record<string, unknown>>, problems: string[]) {
  const found: Partial<Record<SettingName, Found>> = {}
  for (const name of settingNames) {
    const one = find(name, sources, ofModule)
    if (one) found[name] = one
  }
  for (const [name, file] of inFiles) {
    const [direct, inFile] = [found[name], found[file]]
    if (!direct || !inFile) continue
    if (direct.precedence === inFile.precedence) {
      problems.push(`${direct.source} and ${inFile.source} cannot be used together: leave one of them out`)
    }
    delete found[inFile.precedence < direct.precedence ? name : file]
  }
  const { github, apiUrl } = found
  if (github && apiUrl && github.precedence !== apiUrl.precedence) {
    delete found[github.precedence < apiUrl.precedence ? 'apiUrl' : 'github']
  }
  return found
}

function find(
  name: SettingName,
  { flags, flagNames, env, module }: ConfigSources,
  ofModule: Readonly<Record<string, unknown>>,
): Found | undefined {
  if (flags[name] !== undefined) return { text: flags[name], source: flagNames?.[name] ?? flagOf(name), precedence: 0 }
  const variables = variablesOf(name)
  const variable = variables.find((one) => env[one])
  if (variable) {
    // The variables without the prefix `HOOKSERVER_` have a lower precedence, because other programs use them too.
    const precedence = variable === variables[0] ? 1 : 2
    return { text: env[variable] as string, source: `the environment variable ${variable}`, precedence }
  }
  const value = ofModule[name]
  if (value === undefined) return undefined
  const text = Array.isArray(value) ? value.join(',') : String(value)
  return { text, source: `config.${name} of ${module?.name}`, precedence: 3 }
}

function moduleSettings({ module }: ConfigSources, problems: string[]): Readonly<Record<string, unknown>> {
  if (module?.config === undefined) return {}
  if (typeof module.config !== 'object' || module.config === null) {
    problems.push(`config of ${module.name}: expected an object with settings`)
    return {}
  }
  // `permissions` describes the App of the module, for `hookserver app`.
  const { secretFile, permissions: _, ...config } = flattened(module.config as Record<string, unknown>)
  for (const name of Object.keys(config).filter((name) => !Object.hasOwn(settings, name))) {
    const known = settingNames.filter((one) => one !== 'secretFile')
    const cure = suggestion(name, known).trimStart() || `The settings are ${known.join(', ')}`
    problems.push(`config.${name} of ${module.name}: unknown setting. ${cure}`)
  }
  if (secretFile !== undefined) {
    const instead = [flagOf('secretFile'), ...variablesOf('secretFile')].join(' or ')
    const reason = 'the server reads the secret before it imports the module'
    problems.push(`config.secretFile of ${module.name}: ${reason}: set ${instead} instead`)
  }
  return config
}

/** Turns `recover: { hooks, every, … }` of a module into the settings `recover`, `recoverEvery`, … */
function flattened({ recover, ...rest }: Readonly<Record<string, unknown>>): Record<string, unknown> {
  if (typeof recover !== 'object' || recover === null || Array.isArray(recover)) return { ...rest, recover }
  const { hooks, ...more } = recover as Record<string, unknown>
  const prefixed = Object.entries(more).map(([name, value]) => [`recover${capitalized(name)}`, value])
  return { ...rest, recover: Array.isArray(hooks) ? hooks.map(targetText) : hooks, ...Object.fromEntries(prefixed) }
}

const capitalized = (name: string): string => `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`

/** The text that names the target on the command line. */
function targetText(target: unknown): string {
  if (typeof target !== 'object' || target === null) return String(target)
  const { repository, organization, id } = target as Readonly<Record<string, unknown>>
  const name = repository ?? organization
  if (name === undefined) return JSON.stringify(target)
  return id === undefined ? String(name) : `${name}#${id}`
}

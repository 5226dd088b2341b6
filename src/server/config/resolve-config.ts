import * as v from 'valibot'
import type { Hooks } from '../../hooks.ts'
import { optionsOf } from '../../internals.ts'
import { suggestion } from '../../runtime/nearest.ts'
import { linesOf } from './code-location.ts'
import type { Setting } from './setting.ts'
import { type SettingName, settings, type Values } from './settings.ts'

/** A value and its source: a flag, a variable or the module. `source` is `undefined` for a default. */
export interface ConfigValue<Value> {
  value: Value
  source: string | undefined
  /** Whether the source is a generic variable. If it would name the database, an inbox of the module replaces it. */
  isGeneric?: boolean
}

export type Config = { readonly [Name in SettingName]: ConfigValue<Values[Name]> }

/**
 * The sources of settings. Flags take precedence over variables with the prefix `HOOKSERVER_`, these over the module, and
 * the module over generic variables, because their names do not say that they are meant for hookserver.
 */
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
  /**
   * The module. `pending`: it is not imported yet, and may make generic variables unnecessary. So mistakes in them are not
   * reported yet, and the default applies.
   */
  module?: ModuleConfig | 'pending' | undefined
}

interface ModuleConfig {
  /** For error messages. */
  name: string
  /** The export `config`, not checked yet. */
  config: unknown
  hooks?: Hooks
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
  const config = Object.fromEntries(settingNames.map((name) => [name, resolve(name, found[name], sources, problems)]))
  if (problems.length > 0) throw new ConfigError(problems)
  return config as Config
}

const settingNames = Object.keys(settings) as SettingName[]

function resolve(name: SettingName, found: Found | undefined, { module }: ConfigSources, problems: string[]) {
  const setting = settings[name] as Setting
  const unset = { value: setting.default, source: undefined }
  if (!found) return unset
  const { text, source, precedence } = found
  const isGeneric = precedence === precedences.generic
  if (isGeneric && name === 'database' && hasInbox(module)) return { value: setting.default, source, isGeneric }
  const { success, output, issues } = v.safeParse(setting.schema, text, { abortPipeEarly: true })
  if (success) return { value: output, source, ...(isGeneric && { isGeneric }) }
  if (isGeneric && module === 'pending') return unset
  const got = hidden.has(name) ? '' : `, got ${JSON.stringify(redactUrl(text))}`
  problems.push(`${source}: expected ${issues[0].message}${got}`)
  return undefined
}

const imported = (module: ConfigSources['module']): ModuleConfig | undefined =>
  module === 'pending' ? undefined : module

const hasInbox = (module: ConfigSources['module']): boolean => {
  const hooks = imported(module)?.hooks
  return hooks !== undefined && optionsOf(hooks).inbox !== undefined
}

/** Replaces the user, the password and the query of a URL, which may be secret. The URL may be malformed. */
const redactUrl = (text: string): string => text.replace(/:\/\/.*@/s, '://…@').replace(/(:\/\/[^?]*\?).*/s, '$1…')

export const flagOf = (name: string): string => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`

/** The environment variables of a setting: its own, and the generic one if there is one. */
export function variablesOf(name: SettingName): string[] {
  const { genericVariable } = settings[name] as Setting
  return [ownVariable(name), ...(genericVariable === undefined ? [] : [genericVariable])]
}

const ownVariable = (name: string): string =>
  `HOOKSERVER_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`

/** The source with the lowest number applies. */
const precedences = { flag: 0, variable: 1, module: 2, generic: 3 }

interface Found {
  text: string
  source: string
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
  const [flag, value] = [flags[name], ofModule[name]]
  if (flag !== undefined) {
    return { text: flag, source: flagNames?.[name] ?? flagOf(name), precedence: precedences.flag }
  }
  const own = ownVariable(name)
  const { genericVariable: generic } = settings[name] as Setting
  if (env[own] && !isServiceAddress(name, env[own])) {
    return { text: env[own], source: `the environment variable ${own}`, precedence: precedences.variable }
  }
  if (value !== undefined) {
    const text = Array.isArray(value) ? value.join(',') : String(value)
    return { text, source: settingOf(imported(module)?.name ?? '', name), precedence: precedences.module }
  }
  if (generic === undefined || !env[generic]) return undefined
  return { text: env[generic], source: `the environment variable ${generic}`, precedence: precedences.generic }
}

/**
 * Kubernetes gives the pods of a namespace the addresses of its services, such as `tcp://10.0.0.1:80` in HOOKSERVER_PORT
 * for a service named `hookserver`, and in HOOKSERVER_ADMIN_PORT for one named `hookserver-admin`.
 */
const isServiceAddress = (name: SettingName, text: string): boolean =>
  (name === 'port' || name === 'adminPort') && /^(tcp|udp|sctp):\/\//.test(text)

function moduleSettings(sources: ConfigSources, problems: string[]): Readonly<Record<string, unknown>> {
  const module = imported(sources.module)
  if (module?.config === undefined) return {}
  if (typeof module.config !== 'object' || module.config === null) {
    problems.push(`config of ${module.name}: expected an object with settings`)
    return {}
  }
  // `permissions` describes the App of the module, for `hookserver app`.
  const { permissions: _, ...config } = flattened(module.config as Record<string, unknown>)
  for (const name of Object.keys(config).filter((name) => !Object.hasOwn(settings, name))) {
    const known = [...settingNames.filter((one) => !Object.hasOwn(usedBeforeImport, one)), 'permissions']
    const cure = suggestion(name, known).trimStart() || `The settings are ${known.join(', ')}`
    problems.push(`${settingOf(module.name, name)}: unknown setting. ${cure}`)
  }
  for (const [name, reason] of Object.entries(usedBeforeImport)) {
    if (config[name] !== undefined) {
      const instead = [flagOf(name), ...variablesOf(name as SettingName)].join(' or ')
      problems.push(`${settingOf(module.name, name)}: ${reason}: set ${instead} instead`)
    }
    delete config[name]
  }
  return config
}

/** How messages name a setting of a module: with its line, if the module writes its `config` out. */
function settingOf(module: string, name: string): string {
  const lines = linesOf(module)
  const start = lines.findIndex((line) => /\bconfig\b[^=]*=/.test(line))
  const isKey = (line: string) =>
    line
      .replace(/\/\/.*/, '')
      .match(/[\w$]+(?=['"]?\s*:)/g)
      ?.includes(name)
  const index = start < 0 ? -1 : lines.findIndex((line, at) => at >= start && isKey(line))
  return `config.${name} of ${module}${index < 0 ? '' : `:${index + 1}`}`
}

/** The settings that a module cannot set, and why. */
const usedBeforeImport = {
  dev: 'the server generates a secret and starts to watch the files before it imports the module',
  secretFile: 'the server reads the secret before it imports the module',
  logFormat: 'the server logs before it imports the module',
}

/** Turns `recover: { targets, every, … }` of a module into the settings `recover`, `recoverEvery`, … */
function flattened({ recover, ...rest }: Readonly<Record<string, unknown>>): Record<string, unknown> {
  if (typeof recover !== 'object' || recover === null || Array.isArray(recover)) return { ...rest, recover }
  const { targets, ...more } = recover as Record<string, unknown>
  const prefixed = Object.entries(more).map(([name, value]) => [`recover${capitalized(name)}`, value])
  return {
    ...rest,
    recover: Array.isArray(targets) ? targets.map(targetText) : targets,
    ...Object.fromEntries(prefixed),
  }
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

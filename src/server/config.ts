import { Expected, type Setting } from './setting.ts'
import { type SettingName, settings, type Values } from './settings.ts'

/** A value, and who set it; `source` is `undefined` where nobody has. */
export interface Chosen<Value> {
  value: Value
  source: string | undefined
}

export type Config = { readonly [Name in SettingName]: Chosen<Values[Name]> }

/** What was set, by whom. */
export interface Layers {
  /** By the names of `settings`. */
  flags: Readonly<Record<string, string | undefined>>
  /** What those are called that a command knows by another name than a server. */
  flagNames?: Readonly<Record<string, string>>
  env: Readonly<Record<string, string | undefined>>
  /** A module's `config`, and what to call the module. */
  module?: { name: string; config: unknown } | undefined
}

/** All that is wrong with what was set. */
export class ConfigError extends Error {
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.problems = problems
  }
}

/** Settings whose values are never shown: each is a secret, or may hold one, also when it cannot be parsed. */
const hidden: ReadonlySet<string> = new Set<SettingName>([
  'adminToken',
  'readOnlyToken',
  'githubToken',
  'database',
  'databaseUrlFile',
])

/** @throws {ConfigError} for all that is wrong, at once. */
export function resolveConfig(layers: Layers): Config {
  const problems: string[] = []
  const moduleConfig = configOf(layers, problems)
  const config: Record<string, Chosen<unknown>> = {}
  const given = findAll(layers, moduleConfig, problems)
  for (const name of Object.keys(settings) as SettingName[]) {
    const { fallback, parse } = settings[name] as Setting<unknown>
    const found = given[name]
    config[name] = { value: fallback, source: found?.source }
    if (!found) continue
    try {
      config[name].value = parse(found.text)
    } catch (error) {
      if (!(error instanceof Expected)) throw error
      const got = hidden.has(name) ? '' : `, got ${JSON.stringify(withoutPassword(found.text))}`
      problems.push(`${found.source}: expected ${error.message}${got}`)
    }
  }
  if (problems.length > 0) throw new ConfigError(problems)
  return config as Config
}

/** A URL without its user and password. */
const withoutPassword = (text: string): string => text.replace(/:\/\/.*@/s, '://…@')

export const flagOf = (name: string): string => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`

/** The variables of a setting, the first that is set counts. */
export function variablesOf(name: SettingName): string[] {
  const own = `HOOKSERVER_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`
  return [own, ...((settings[name] as Setting<unknown>).variables ?? [])]
}

/** What can be said as it is, or by the file that holds it. */
const inFiles: readonly [SettingName, SettingName][] = [
  ['adminToken', 'adminTokenFile'],
  ['readOnlyToken', 'readOnlyTokenFile'],
  ['database', 'databaseUrlFile'],
]

interface Found {
  text: string
  source: string
  /** A smaller one counts before a larger one. */
  layer: number
}

/** The file that a flag names counts before what a variable says as it is. */
function findAll(
  layers: Layers,
  config: Readonly<Record<string, unknown>>,
  problems: string[],
): Partial<Record<SettingName, Found>> {
  const names = Object.keys(settings) as SettingName[]
  const found: Partial<Record<SettingName, Found>> = Object.fromEntries(
    names.map((name) => [name, find(name, layers, config)]),
  )
  for (const [name, file] of inFiles) {
    const [plain, inFile] = [found[name], found[file]]
    if (!plain || !inFile) continue
    if (plain.layer === inFile.layer) problems.push(`${plain.source} and ${inFile.source}: leave one of them out`)
    delete found[inFile.layer < plain.layer ? name : file]
  }
  return found
}

function find(
  name: SettingName,
  { flags, flagNames, env, module }: Layers,
  config: Readonly<Record<string, unknown>>,
): Found | undefined {
  if (flags[name] !== undefined) return { text: flags[name], source: flagNames?.[name] ?? flagOf(name), layer: 0 }
  const variables = variablesOf(name)
  const variable = variables.find((one) => env[one])
  if (variable) {
    const layer = variable === variables[0] ? 1 : 2 // those from elsewhere may be meant for others
    return { text: env[variable] as string, source: `the environment variable ${variable}`, layer }
  }
  if (config[name] === undefined) return undefined
  const value: unknown = config[name]
  const text = Array.isArray(value) ? value.join(',') : String(value)
  return { text, source: `config.${name} of ${module?.name}`, layer: 3 }
}

function configOf({ module }: Layers, problems: string[]): Readonly<Record<string, unknown>> {
  if (module?.config === undefined) return {}
  if (typeof module.config !== 'object' || module.config === null) {
    problems.push(`config of ${module.name}: expected an object with settings`)
    return {}
  }
  const config = flattened(module.config as Record<string, unknown>)
  for (const name of Object.keys(config)) {
    if (!Object.hasOwn(settings, name)) {
      problems.push(
        `config.${name} of ${module.name}: there is no such setting; there are ${Object.keys(settings).join(', ')}`,
      )
    }
  }
  return config
}

/** `recover: { hooks, every, … }` of a module are the settings `recover`, `recoverEvery`, … */
function flattened({ recover, ...rest }: Readonly<Record<string, unknown>>): Record<string, unknown> {
  if (typeof recover !== 'object' || recover === null || Array.isArray(recover)) return { ...rest, recover }
  const { hooks, ...more } = recover as Record<string, unknown>
  const prefixed = Object.entries(more).map(([name, value]) => [`recover${capitalized(name)}`, value])
  return { ...rest, recover: Array.isArray(hooks) ? hooks.map(targetText) : hooks, ...Object.fromEntries(prefixed) }
}

const capitalized = (name: string): string => `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`

/** As it is written on the command line. */
function targetText(target: unknown): string {
  const { repository, organization, id } = (target ?? {}) as {
    repository?: unknown
    organization?: unknown
    id?: unknown
  }
  const name = repository ?? organization
  if (name === undefined) return typeof target === 'string' ? target : JSON.stringify(target)
  return id === undefined ? String(name) : `${name}#${id}`
}

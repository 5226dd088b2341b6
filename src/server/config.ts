import {
  asBoolean,
  asBooleanOr,
  asChoice,
  asDuration,
  asListOrCount,
  asPath,
  asPort,
  asSize,
  asText,
  asUrl,
  asWait,
  Expected,
  type Setting,
} from './setting.ts'

/** What can be set. `undefined` where `new Hooks()`, the inbox or the environment decides. */
export interface Values {
  port: number
  host: string
  url: string | undefined
  role: 'all' | 'receiver' | 'worker'
  database: string
  /** Milliseconds. */
  retention: number | undefined
  /** Bytes. */
  maxSize: number | undefined
  adminPort: number
  adminHost: string
  adminUrl: string | undefined
  adminToken: string | undefined
  adminTokenFile: string | undefined
  secretFile: string | undefined
  validateIp: boolean | 'warn' | undefined
  validateSignature: boolean | undefined
  trustProxy: string[] | number | undefined
  apiUrl: string | undefined
  /** Milliseconds. */
  grace: number
  logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  dev: boolean
  insecure: boolean
}

export type SettingName = keyof Values

const unset = undefined

/**
 * All that can be set, by its name in a module's `config`. The flag is the same in kebab case, the environment variable
 * in capitals behind `HOOKSERVER_`.
 */
export const settings: { readonly [Name in SettingName]: Setting<Values[Name]> } = {
  port: {
    placeholder: '<port>',
    help: 'the port for GitHub (8000)',
    variables: ['PORT'],
    fallback: 8000,
    parse: asPort,
  },
  host: {
    placeholder: '<address>',
    help: 'the address that GitHub, or the proxy in front, reaches (0.0.0.0; 127.0.0.1 with --dev)',
    fallback: '0.0.0.0',
    parse: asText,
  },
  url: {
    placeholder: '<path>',
    help: 'the path of deliveries (/hooks)',
    fallback: unset,
    parse: asPath,
  },
  role: {
    placeholder: '<role>',
    help: 'all, receiver (stores, and handles nothing) or worker (handles, and receives nothing) (all)',
    fallback: 'all',
    parse: asChoice('all', 'receiver', 'worker'),
  },
  database: {
    placeholder: '<file>',
    help: 'the file of the inbox (hookserver.db)',
    variables: ['DATABASE_URL'],
    fallback: 'hookserver.db',
    parse: asText,
  },
  retention: {
    placeholder: '<time>',
    help: 'how long a delivery is kept that has ended (30d)',
    fallback: unset,
    parse: asDuration,
  },
  maxSize: {
    placeholder: '<size>',
    help: 'the largest size of the file; what has ended goes before it grows larger (no limit)',
    fallback: unset,
    parse: asSize,
  },
  adminPort: {
    placeholder: '<port>',
    help: 'the port for you: API, metrics, health (8001)',
    fallback: 8001,
    parse: asPort,
  },
  adminHost: {
    placeholder: '<address>',
    help: 'the address for you (127.0.0.1)',
    fallback: '127.0.0.1',
    parse: asText,
  },
  adminUrl: {
    placeholder: '<url>',
    help: 'the address under which browsers reach it, if a proxy stands in front',
    fallback: unset,
    parse: asUrl,
  },
  adminToken: {
    placeholder: '<token>',
    help: 'what lets you in; better in its variable, or in a file (made once and kept beside the database)',
    fallback: unset,
    parse: asToken,
  },
  adminTokenFile: {
    placeholder: '<file>',
    help: 'the file that holds it',
    fallback: unset,
    parse: asText,
  },
  secretFile: {
    placeholder: '<file>',
    help: "the file that holds the webhook's secret, one a line while you rotate it (GITHUB_WEBHOOKS_KEY, SECRET_KEY)",
    fallback: unset,
    parse: asText,
  },
  validateIp: {
    placeholder: '<mode>',
    help: "whether requests must come from GitHub's addresses: true, false or warn (true)",
    variables: ['VALIDATE_IP'],
    fallback: unset,
    parse: asBooleanOr('warn'),
  },
  validateSignature: {
    placeholder: '<boolean>',
    help: 'whether they must be signed (true)',
    variables: ['VALIDATE_SIGNATURE'],
    fallback: unset,
    parse: asBoolean,
  },
  trustProxy: {
    placeholder: '<list>',
    help: 'the proxies in front: CIDRs, loopback, private, with commas between them; or how many (nobody)',
    fallback: unset,
    parse: asListOrCount,
  },
  apiUrl: {
    placeholder: '<url>',
    help: "GitHub's API; for an Enterprise Server https://HOST/api/v3 (https://api.github.com)",
    fallback: unset,
    parse: asUrl,
  },
  grace: {
    placeholder: '<time>',
    help: 'how long handlers may go on at a shutdown, before their signal aborts (25s)',
    fallback: 25_000,
    parse: asWait,
  },
  logLevel: {
    placeholder: '<level>',
    help: 'debug, info, warn, error or silent (info)',
    fallback: 'info',
    parse: asChoice('debug', 'info', 'warn', 'error', 'silent'),
  },
  dev: {
    placeholder: '[boolean]',
    help: 'for your own machine: loopback only, any origin, a secret made and kept, restarts when the module changes',
    fallback: false,
    parse: asBoolean,
  },
  insecure: {
    placeholder: '[boolean]',
    help: 'listen beyond loopback although nothing is signed',
    fallback: false,
    parse: asBoolean,
  },
}

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

/** Values that are never shown. */
const hidden: ReadonlySet<string> = new Set<SettingName>(['adminToken'])

/** @throws {ConfigError} for all that is wrong, at once. */
export function resolveConfig(layers: Layers): Config {
  const problems: string[] = []
  const moduleConfig = configOf(layers, problems)
  const config: Record<string, Chosen<unknown>> = {}
  for (const name of Object.keys(settings) as SettingName[]) {
    const { fallback, parse } = settings[name] as Setting<unknown>
    const found = find(name, layers, moduleConfig)
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

/** Of an address: who may go there is nobody else's affair. */
const withoutPassword = (text: string): string => text.replace(/:\/\/.*@/s, '://…@')

export const flagOf = (name: string): string => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`

/** The variables of a setting, the first that is set counts. */
export function variablesOf(name: SettingName): string[] {
  const own = `HOOKSERVER_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`
  return [own, ...((settings[name] as Setting<unknown>).variables ?? [])]
}

function find(name: SettingName, { flags, env, module }: Layers, config: Readonly<Record<string, unknown>>) {
  if (flags[name] !== undefined) return { text: flags[name], source: flagOf(name) }
  const variable = variablesOf(name).find((one) => env[one])
  if (variable) return { text: env[variable] as string, source: `the environment variable ${variable}` }
  if (config[name] === undefined) return undefined
  const value: unknown = config[name]
  return { text: Array.isArray(value) ? value.join(',') : String(value), source: `config.${name} of ${module?.name}` }
}

function configOf({ module }: Layers, problems: string[]): Readonly<Record<string, unknown>> {
  if (module?.config === undefined) return {}
  if (typeof module.config !== 'object' || module.config === null) {
    problems.push(`config of ${module.name}: expected an object with settings`)
    return {}
  }
  for (const name of Object.keys(module.config)) {
    if (!Object.hasOwn(settings, name)) {
      problems.push(
        `config.${name} of ${module.name}: there is no such setting; there are ${Object.keys(settings).join(', ')}`,
      )
    }
  }
  return module.config as Record<string, unknown>
}

/** The shortest that nobody guesses. */
const shortestToken = 16

function asToken(text: string): string {
  if (text.length >= shortestToken && /^[\x21-\x7e]+$/.test(text)) return text
  throw new Expected(`${shortestToken} characters or more, without white space`)
}

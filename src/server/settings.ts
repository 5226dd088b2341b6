import { parseTarget, type Target } from '../github/target.ts'
import {
  asBoolean,
  asBooleanOr,
  asChoice,
  asDuration,
  asList,
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
  githubToken: string | undefined
  recover: Target[] | undefined
  recoverUrl: string | undefined
  /** Milliseconds. */
  recoverEvery: number
  /** Milliseconds. */
  recoverLookback: number | undefined
  recoverMode: 'redeliver' | 'pull'
  recoverEvents: string[] | undefined
  recoverIncludeOk: boolean
  /** Milliseconds. */
  recoverPace: number
  pull: Target[] | undefined
  /** Milliseconds. */
  pullEvery: number
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
  githubToken: {
    placeholder: '<token>',
    help: "a token for GitHub's API; better in its variable (GITHUB_TOKEN, for github.com alone)",
    fallback: unset,
    parse: asSecretText,
  },
  recover: {
    placeholder: '<hooks>',
    help: 'whose deliveries are fetched that did not come in: acme/shop, acme, app, with commas between them; acme/shop#7 is the hook with that id (nobody)',
    fallback: unset,
    parse: asTargets,
  },
  recoverUrl: {
    placeholder: '<url>',
    help: 'the address that GitHub delivers to, by which the hooks are found that are named without their id',
    fallback: unset,
    parse: asUrl,
  },
  recoverEvery: {
    placeholder: '<time>',
    help: 'how often they are looked for (5m)',
    fallback: 300_000,
    parse: asWait,
  },
  recoverLookback: {
    placeholder: '<time>',
    help: 'how far back at most (as long as GitHub keeps them: 3d, 7d on an Enterprise Server)',
    fallback: unset,
    parse: asDuration,
  },
  recoverMode: {
    placeholder: '<mode>',
    help: "redeliver (GitHub sends it again, signed) or pull (its payload is read from GitHub's API) (redeliver)",
    fallback: 'redeliver',
    parse: asChoice('redeliver', 'pull'),
  },
  recoverEvents: {
    placeholder: '<list>',
    help: 'which events, with commas between them: issues, pull_request.closed (those that a handler matches)',
    fallback: unset,
    parse: asNames,
  },
  recoverIncludeOk: {
    placeholder: '[boolean]',
    help: "fetch, too, what GitHub's log shows as delivered and is not here",
    fallback: false,
    parse: asBoolean,
  },
  recoverPace: {
    placeholder: '<time>',
    help: 'between two redeliveries; github.com asks for a second (1s)',
    fallback: 1000,
    parse: asWait,
  },
  pull: {
    placeholder: '<hooks>',
    help: "whose deliveries are taken from GitHub's log, while nothing is received: named as for --recover (nobody)",
    fallback: unset,
    parse: asTargets,
  },
  pullEvery: {
    placeholder: '<time>',
    help: 'how often it is looked at; less often when little is left of the rate limit (10s)',
    fallback: 10_000,
    parse: asWait,
  },
}

/** The shortest that nobody guesses. */
const shortestToken = 16

function asToken(text: string): string {
  if (text.length >= shortestToken && /^[\x21-\x7e]+$/.test(text)) return text
  throw new Expected(`${shortestToken} characters or more, without white space`)
}

/** A secret that goes into a header. */
function asSecretText(text: string): string {
  if (/^[\x21-\x7e]+$/.test(text)) return text
  throw new Expected('a text without white space')
}

function asTargets(text: string): Target[] {
  const targets = asList(text).map(parseTarget)
  if (targets.length > 0 && targets.every((target) => target !== undefined)) return targets as Target[]
  throw new Expected(
    'a list with commas between its items, each acme/shop, acme/shop#<hook id>, acme, acme#<hook id> or app',
  )
}

function asNames(text: string): string[] {
  const names = asList(text)
  if (names.length > 0 && names.every((name) => /^(\*|[\w-]+(\.[\w-]+)?)$/.test(name))) return names
  throw new Expected('a list of events with commas between them, such as push,issues.opened')
}

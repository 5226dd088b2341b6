import {
  asBoolean,
  asBooleanOr,
  asChoice,
  asListOrCount,
  asPath,
  asPort,
  asText,
  asUrl,
  asWait,
  type SettingsOf,
} from './setting.ts'
import { type AdminValues, adminSettings } from './settings/admin.ts'
import { type DatabaseValues, databaseSettings } from './settings/database.ts'
import { type GitHubValues, githubSettings } from './settings/github.ts'

/** What can be set. `undefined` where `new Hooks()`, the inbox or the environment decides. */
export interface Values extends DatabaseValues, AdminValues, GitHubValues {
  port: number
  host: string
  url: string | undefined
  role: 'all' | 'receiver' | 'worker'
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

/**
 * All that can be set, by its name in a module's `config`. The flag is the same in kebab case, the environment variable
 * in capitals behind `HOOKSERVER_`.
 */
export const settings: SettingsOf<Values> = {
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
    fallback: undefined,
    parse: asPath,
  },
  role: {
    placeholder: '<role>',
    help: 'all, receiver (stores, and handles nothing) or worker (handles, and receives nothing) (all)',
    fallback: 'all',
    parse: asChoice('all', 'receiver', 'worker'),
  },
  ...databaseSettings,
  ...adminSettings,
  secretFile: {
    placeholder: '<file>',
    help: "the file that holds the webhook's secret, one a line while you rotate it (GITHUB_WEBHOOKS_KEY, SECRET_KEY)",
    fallback: undefined,
    parse: asText,
  },
  validateIp: {
    placeholder: '<mode>',
    help: "whether requests must come from GitHub's addresses: true, false or warn (true)",
    variables: ['VALIDATE_IP'],
    fallback: undefined,
    parse: asBooleanOr('warn'),
  },
  validateSignature: {
    placeholder: '<boolean>',
    help: 'whether they must be signed (true)',
    variables: ['VALIDATE_SIGNATURE'],
    fallback: undefined,
    parse: asBoolean,
  },
  trustProxy: {
    placeholder: '<list>',
    help: 'the proxies in front: CIDRs, loopback, private, with commas between them; or how many (nobody)',
    fallback: undefined,
    parse: asListOrCount,
  },
  apiUrl: {
    placeholder: '<url>',
    help: "GitHub's API; for an Enterprise Server https://HOST/api/v3 (https://api.github.com)",
    fallback: undefined,
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
  ...githubSettings,
}

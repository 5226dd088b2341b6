import { textValue } from '../schema.ts'
import { databaseSettings } from './database-settings.ts'
import { githubSettings } from './github-settings.ts'
import {
  boolean,
  booleanOr,
  choice,
  listOrCount,
  path,
  port,
  type Setting,
  setting,
  text,
  timeout,
  url,
} from './setting.ts'

const minToken = 16

/** A token that is too long to be guessed. */
const token = textValue(`${minToken} characters or more, without white space`, (text) =>
  text.length >= minToken && /^[\x21-\x7e]+$/.test(text) ? text : undefined,
)

/** The admin listener. */
const adminSettings = {
  adminPort: setting({
    placeholder: '<port>',
    help: 'Port of the admin listener: API, dashboard, metrics, health (8001)',
    schema: port,
    default: 8001,
  }),
  adminHost: setting({
    placeholder: '<address>',
    help: 'Address of the admin listener (127.0.0.1)',
    schema: text,
    default: '127.0.0.1',
  }),
  adminUrl: setting({
    placeholder: '<url>',
    help: 'URL of the admin listener for browsers, if it is behind a proxy',
    schema: url,
  }),
  adminToken: setting({
    placeholder: '<token>',
    help: 'Token for the admin API and dashboard; better set by its variable, or in a file (generated beside the database)',
    schema: token,
  }),
  adminTokenFile: setting({
    placeholder: '<file>',
    help: 'File that holds the admin token',
    schema: text,
  }),
  readOnlyToken: setting({
    placeholder: '<token>',
    help: 'Token that can read everything and change nothing; better set by its variable, or in a file (none)',
    schema: token,
  }),
  readOnlyTokenFile: setting({
    placeholder: '<file>',
    help: 'File that holds the read-only token',
    schema: text,
  }),
}

/**
 * All settings, by their names in a module's `config`. The flag is the name in kebab case, the environment variable is the
 * name in capitals after `HOOKSERVER_`.
 */
export const settings = {
  port: setting({
    placeholder: '<port>',
    help: 'Port for GitHub (8000)',
    variables: ['PORT'],
    schema: port,
    default: 8000,
  }),
  host: setting({
    placeholder: '<address>',
    help: 'Address that GitHub, or the proxy, connects to (0.0.0.0; 127.0.0.1 with --dev)',
    schema: text,
    default: '0.0.0.0',
  }),
  url: setting({
    placeholder: '<path>',
    help: 'Path for deliveries (/hooks)',
    schema: path,
  }),
  role: setting({
    placeholder: '<role>',
    help: 'all, receiver (stores deliveries, runs no handlers) or worker (runs handlers, receives nothing) (all)',
    schema: choice(['all', 'receiver', 'worker']),
    default: 'all',
  }),
  ...databaseSettings,
  ...adminSettings,
  secretFile: setting({
    placeholder: '<file>',
    help: "File that holds the webhook's secret, one per line during a rotation (GITHUB_WEBHOOKS_KEY, SECRET_KEY)",
    schema: text,
  }),
  validateIp: setting({
    placeholder: '<mode>',
    help: "Whether requests must come from GitHub's addresses: true, false or warn (true)",
    variables: ['VALIDATE_IP'],
    schema: booleanOr('warn'),
  }),
  validateSignature: setting({
    placeholder: '<boolean>',
    help: 'Whether requests must be signed (true)',
    variables: ['VALIDATE_SIGNATURE'],
    schema: boolean,
  }),
  trustProxy: setting({
    placeholder: '<list>',
    help: 'Trusted proxies: CIDRs, loopback, private, separated by commas; or their number (none)',
    schema: listOrCount,
  }),
  apiUrl: setting({
    placeholder: '<url>',
    help: "GitHub's API; for an Enterprise Server https://HOST/api/v3 (https://api.github.com)",
    schema: url,
  }),
  grace: setting({
    placeholder: '<time>',
    help: 'How long handlers may run on at a shutdown, before their signal aborts (25s)',
    schema: timeout,
    default: 25_000,
  }),
  logLevel: setting({
    placeholder: '<level>',
    help: 'debug, info, warn, error or silent (info)',
    schema: choice(['debug', 'info', 'warn', 'error', 'silent']),
    default: 'info',
  }),
  dev: setting({
    placeholder: '[boolean]',
    help: 'For your own machine: loopback only, any origin, a generated secret, restart when the module changes',
    schema: boolean,
    default: false,
  }),
  insecure: setting({
    placeholder: '[boolean]',
    help: 'Listen beyond loopback although signatures are not checked',
    schema: boolean,
    default: false,
  }),
  ...githubSettings,
}

export type SettingName = keyof typeof settings

/** The values of all settings. */
export type Values = {
  [Name in SettingName]: (typeof settings)[Name] extends Setting<infer Value> ? Value : never
}

import { choice } from '../schema.ts'
import { databaseSettings } from './database-settings.ts'
import {
  apiUrl,
  boolean,
  booleanOr,
  duration,
  events,
  headerText,
  path,
  port,
  proxies,
  type Setting,
  setting,
  targets,
  text,
  timeout,
  token,
  url,
} from './setting.ts'

/** By their names in a module's `config`. Flags are in kebab case, environment variables in capitals after `HOOKSERVER_`. */
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
    schema: proxies,
  }),
  apiUrl: setting({
    placeholder: '<url>',
    help: "GitHub's API; for an Enterprise Server https://HOST/api/v3 (https://api.github.com)",
    schema: apiUrl,
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
  githubToken: setting({
    placeholder: '<token>',
    help: "Token for GitHub's API; better set by its variable (GITHUB_TOKEN, for github.com alone)",
    schema: headerText,
  }),
  recover: setting({
    placeholder: '<hooks>',
    help: 'Webhooks to recover missed deliveries for: acme/shop, acme, app, separated by commas; acme/shop#7 is the hook with that id (none)',
    schema: targets,
  }),
  recoverUrl: setting({
    placeholder: '<url>',
    help: 'URL that GitHub delivers to, to find the hooks that are named without an id',
    schema: url,
  }),
  recoverEvery: setting({
    placeholder: '<time>',
    help: 'Interval between recovery sweeps (5m)',
    schema: timeout,
    default: 300_000,
  }),
  recoverLookback: setting({
    placeholder: '<time>',
    help: 'How far back to look (as long as GitHub keeps deliveries: 3d, 7d on an Enterprise Server)',
    schema: duration,
  }),
  recoverMode: setting({
    placeholder: '<mode>',
    help: "redeliver (GitHub sends it again, signed) or pull (read the payload from GitHub's API) (redeliver)",
    schema: choice(['redeliver', 'pull']),
    default: 'redeliver',
  }),
  recoverEvents: setting({
    placeholder: '<list>',
    help: 'Events to recover, separated by commas: issues, pull_request.closed (those that a handler matches)',
    schema: events,
  }),
  recoverIncludeOk: setting({
    placeholder: '[boolean]',
    help: "Also fetch deliveries that GitHub's log shows as delivered and the inbox does not have",
    schema: boolean,
    default: false,
  }),
  recoverPace: setting({
    placeholder: '<time>',
    help: 'Pause between two redeliveries; github.com asks for a second (1s)',
    schema: timeout,
    default: 1000,
  }),
  pull: setting({
    placeholder: '<hooks>',
    help: "Webhooks whose deliveries to take from GitHub's log, instead of receiving them: named as for --recover (none)",
    schema: targets,
  }),
  pullEvery: setting({
    placeholder: '<time>',
    help: 'Interval between reads of that log; longer when little of the rate limit is left (10s)',
    schema: timeout,
    default: 10_000,
  }),
}

export type SettingName = keyof typeof settings

export type Values = {
  [Name in SettingName]: (typeof settings)[Name] extends Setting<infer Value> ? Value : never
}

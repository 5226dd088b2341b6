import { choice } from '../schema.ts'
import { databaseSettings } from './database-settings.ts'
import {
  apiUrl,
  baseUrl,
  boolean,
  booleanOr,
  duration,
  events,
  github,
  groups,
  headerText,
  port,
  proxies,
  ranges,
  type Setting,
  setting,
  targets,
  text,
  timeout,
  token,
  url,
  urlPath,
} from './setting.ts'

/**
 * The default of `grace` with `--dev`, in milliseconds. A change of a file should restart the server at once. The tasks of
 * the running handlers are due again then.
 */
export const devGrace = 1000

/**
 * The settings of a server, by their names in the `config` of a module. For example, `adminPort` is also the flag
 * `--admin-port` and the variable `HOOKSERVER_ADMIN_PORT`.
 */
export const settings = {
  port: setting({
    placeholder: '<port>',
    help: 'Port of the public listener, for GitHub (default: 8000)',
    genericVariable: 'PORT',
    schema: port,
    default: 8000,
  }),
  host: setting({
    placeholder: '<address>',
    help: 'Address of the public listener (default: 0.0.0.0; 127.0.0.1 with --dev or without signature checks)',
    schema: text,
    default: '0.0.0.0',
  }),
  path: setting({
    placeholder: '<path>',
    help: 'Path that receives deliveries (default: /hooks)',
    schema: urlPath,
  }),
  publicUrl: setting({
    placeholder: '<url>',
    help: 'URL that GitHub delivers to; it selects the webhooks of --recover that you name without an id (default: none)',
    schema: url,
  }),
  role: setting({
    placeholder: '<role>',
    help: 'all, receiver (only stores deliveries) or worker (only runs handlers) (default: all)',
    schema: choice(['all', 'receiver', 'worker']),
    default: 'all',
  }),
  ...databaseSettings,
  adminPort: setting({
    placeholder: '<port>',
    help: 'Port of the admin listener: API, dashboard, metrics, health (default: 8001)',
    schema: port,
    default: 8001,
  }),
  adminHost: setting({
    placeholder: '<address>',
    help: 'Address of the admin listener (default: 127.0.0.1)',
    schema: text,
    default: '127.0.0.1',
  }),
  adminUrl: setting({
    placeholder: '<url>',
    help: 'URL that browsers use to reach the admin listener through a proxy',
    schema: baseUrl,
  }),
  adminToken: setting({
    placeholder: '<token>',
    help: 'Admin token; prefer the variable or a file (default: generated)',
    schema: token,
  }),
  adminTokenFile: setting({
    placeholder: '<file>',
    help: 'File that contains the admin token',
    schema: text,
  }),
  readOnlyToken: setting({
    placeholder: '<token>',
    help: 'Read-only token; prefer the variable or a file (default: none)',
    schema: token,
  }),
  readOnlyTokenFile: setting({
    placeholder: '<file>',
    help: 'File that contains the read-only token',
    schema: text,
  }),
  adminGithubOperators: setting({
    placeholder: '<list>',
    help: 'Organizations and teams on GitHub that may log in and change everything: acme/ops (default: none)',
    schema: groups,
  }),
  adminGithubViewers: setting({
    placeholder: '<list>',
    help: 'Organizations and teams on GitHub that may log in and read everything: acme (default: none)',
    schema: groups,
  }),
  secretFile: setting({
    placeholder: '<file>',
    help: "File with the webhook's secrets, one per line (default: the secret in GITHUB_WEBHOOKS_KEY or SECRET_KEY)",
    schema: text,
  }),
  validateIp: setting({
    placeholder: '<mode>',
    help: "Require GitHub's addresses: true, false, or warn to only log (default: true)",
    schema: booleanOr('warn'),
  }),
  ranges: setting({
    placeholder: '<list>',
    help: 'CIDRs and addresses that may send deliveries (default: those that GitHub lists)',
    schema: ranges,
  }),
  validateSignature: setting({
    placeholder: '<boolean>',
    help: 'Require signatures (default: true)',
    schema: boolean,
  }),
  trustProxy: setting({
    placeholder: '<list>',
    help: 'Trusted proxies: a list of CIDRs, loopback, private or unix; or the number of proxies (default: none)',
    schema: proxies,
  }),
  github: setting({
    placeholder: '<url>',
    help: 'URL of GitHub, such as https://acme.ghe.com or that of your Enterprise Server (default: https://github.com)',
    schema: github,
  }),
  apiUrl: setting({
    placeholder: '<url>',
    help: "URL of GitHub's API (default: derived from --github)",
    schema: apiUrl,
  }),
  grace: setting({
    placeholder: '<time>',
    help: `Time that running handlers have at shutdown before delivery.signal aborts (default: 25s; ${devGrace / 1000}s with --dev)`,
    schema: timeout,
    default: 25_000,
  }),
  logLevel: setting({
    placeholder: '<level>',
    help: 'Log level: debug, info, warn, error or silent (default: info)',
    schema: choice(['debug', 'info', 'warn', 'error', 'silent']),
    default: 'info',
  }),
  logFormat: setting({
    placeholder: '<format>',
    help: 'Format of the log: json or pretty (default: pretty on a terminal, otherwise json)',
    schema: choice(['json', 'pretty']),
  }),
  quiet: setting({
    placeholder: '[boolean]',
    help: 'Log handled deliveries only at the level debug',
    schema: boolean,
    default: false,
  }),
  dev: setting({
    placeholder: '[boolean]',
    help: 'Development mode: loopback, any origin, generated secret, restart on changes',
    schema: boolean,
    default: false,
  }),
  insecure: setting({
    placeholder: '[boolean]',
    help: 'Allow a public address without signature checks',
    schema: boolean,
    default: false,
  }),
  githubToken: setting({
    placeholder: '<token>',
    help: "Token for GitHub's API; prefer a variable to this flag (default for github.com: GITHUB_TOKEN)",
    schema: headerText,
  }),
  recover: setting({
    placeholder: '<targets>',
    help: 'Recover missed deliveries of webhooks such as acme/shop, acme/shop#7, acme, app (your App) (default: none)',
    schema: targets,
  }),
  recoverEvery: setting({
    placeholder: '<time>',
    help: 'Interval between recovery sweeps (default: 5m)',
    schema: timeout,
    default: 300_000,
  }),
  recoverLookback: setting({
    placeholder: '<time>',
    help: "How far back to search GitHub's log (default: 3d; 7d on Enterprise Server)",
    schema: duration,
  }),
  recoverMode: setting({
    placeholder: '<mode>',
    help: "redeliver (GitHub sends again) or pull (read GitHub's API) (default: redeliver)",
    schema: choice(['redeliver', 'pull']),
    default: 'redeliver',
  }),
  recoverEvents: setting({
    placeholder: '<list>',
    help: 'Events to recover: issues, pull_request.closed (default: those with handlers, or all if there is no module)',
    schema: events,
  }),
  recoverIncludeOk: setting({
    placeholder: '[boolean]',
    help: 'Also recover deliveries that GitHub shows as delivered',
    schema: boolean,
    default: false,
  }),
  recoverPace: setting({
    placeholder: '<time>',
    help: 'Pause between redeliveries; github.com asks for 1s (default: 1s)',
    schema: timeout,
    default: 1000,
  }),
  pull: setting({
    placeholder: '<targets>',
    help: "Webhooks to poll, named as in --recover: read GitHub's log instead of receiving deliveries (default: none)",
    schema: targets,
  }),
  pullEvery: setting({
    placeholder: '<time>',
    help: 'Interval between reads of the delivery log; longer near the rate limit (default: 10s)',
    schema: timeout,
    default: 10_000,
  }),
}

export type SettingName = keyof typeof settings

export type Values = {
  [Name in SettingName]: (typeof settings)[Name] extends Setting<infer Value> ? Value : never
}

/** The types of `export const config` in a user's module. Written out, because published types must not need valibot. */
import type { PermissionLevels } from '../../github/app/permission-levels.ts'
import type { Duration, Size } from '../../runtime/units.ts'

export type { PermissionLevels }

/**
 * The settings of `hookserver serve` in a module, and the permissions of its App. A test compares the names with the
 * list of settings, whose descriptions `docs/settings.md` shows. Durations and sizes are texts with a unit.
 * @example export const config = { retention: '7d', permissions: { issues: 'write' } } satisfies Config
 */
export interface ModuleConfig {
  /** The permissions that the handlers need besides those that their events need. */
  readonly permissions?: PermissionLevels
  /** Port of the public listener, for GitHub. Default: 8000. */
  readonly port?: number
  /** Address of the public listener. Default: 0.0.0.0; 127.0.0.1 with `--dev` or without signature checks. */
  readonly host?: string
  /** Path that receives deliveries. Default: /hooks. */
  readonly path?: string
  /** URL that GitHub delivers to; it selects the webhooks of `--recover` that you name without an id. Default: none. */
  readonly publicUrl?: string
  /** all, receiver (only stores deliveries) or worker (only runs handlers). Default: all. */
  readonly role?: 'all' | 'receiver' | 'worker'
  /** SQLite file or postgres:// URL of the inbox. Default: hookserver.db. */
  readonly database?: string
  /** File that contains the postgres:// URL. */
  readonly databaseUrlFile?: string
  /** PostgreSQL schema of the tables. Default: hookserver. */
  readonly databaseSchema?: string
  /** Maximum PostgreSQL connections for deliveries; a process opens 3 more, 4 if it runs handlers. Default: 10. */
  readonly databaseConnections?: number
  /** Create and migrate the tables at startup. Default: true. */
  readonly databaseMigrate?: boolean
  /** How long to keep ended deliveries. Default: 30d. */
  readonly retention?: Exclude<Duration, number>
  /** How long to keep entries of the audit log. Default: 365d. */
  readonly auditRetention?: Exclude<Duration, number>
  /** Maximum entries of the audit log; the oldest are deleted first. Default: 100000. */
  readonly auditEntries?: number
  /** Maximum size of the SQLite file; near it, ended deliveries are pruned. Default: none. */
  readonly maxSize?: Exclude<Size, number>
  /** Port of the admin listener: API, dashboard, metrics, health. Default: 8001. */
  readonly adminPort?: number
  /** Address of the admin listener. Default: 127.0.0.1. */
  readonly adminHost?: string
  /** URL that browsers use to reach the admin listener through a proxy. */
  readonly adminUrl?: string
  /** Admin token; prefer the variable or a file. Default: generated. */
  readonly adminToken?: string
  /** File that contains the admin token. */
  readonly adminTokenFile?: string
  /** Read-only token; prefer the variable or a file. Default: none. */
  readonly readOnlyToken?: string
  /** File that contains the read-only token. */
  readonly readOnlyTokenFile?: string
  /** Organizations and teams on GitHub that may log in and change everything: acme/ops. Default: none. */
  readonly adminGithubOperators?: string | readonly string[]
  /** Organizations and teams on GitHub that may log in and read everything: acme. Default: none. */
  readonly adminGithubViewers?: string | readonly string[]
  /** Require GitHub's addresses: true, false, or warn to only log. Default: true. */
  readonly validateIp?: boolean | 'warn'
  /** CIDRs and addresses that may send deliveries. Default: those that GitHub lists. */
  readonly ranges?: string | readonly string[]
  /** Require signatures. Default: true. */
  readonly validateSignature?: boolean
  /** Trusted proxies: a list of CIDRs, loopback, private or unix; or the number of proxies. Default: none. */
  readonly trustProxy?: string | readonly string[] | number
  /** URL of GitHub, such as https://acme.ghe.com or that of your Enterprise Server. Default: https://github.com. */
  readonly github?: string
  /** URL of GitHub's API. Default: derived from `--github`. */
  readonly apiUrl?: string
  /** Time that running handlers have at shutdown before delivery.signal aborts. Default: 25s. */
  readonly grace?: Exclude<Duration, number>
  /** Log level: debug, info, warn, error or silent. Default: info. */
  readonly logLevel?: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  /** Log handled deliveries only at the level debug. */
  readonly quiet?: boolean
  /** Allow a public address without signature checks. */
  readonly insecure?: boolean
  /** Token for GitHub's API; prefer a variable. Default for github.com: GITHUB_TOKEN. */
  readonly githubToken?: string
  /** Recover missed deliveries of webhooks such as acme/shop, acme/shop#7, acme, app (your App). Default: none. */
  readonly recover?:
    | string
    | readonly string[]
    | {
        readonly targets:
          | string
          | readonly (string | { repository: string; id?: string } | { organization: string; id?: string })[]
        readonly every?: Exclude<Duration, number>
        readonly lookback?: Exclude<Duration, number>
        readonly mode?: 'redeliver' | 'pull'
        readonly events?: string | readonly string[]
        readonly includeOk?: boolean
        readonly pace?: Exclude<Duration, number>
      }
  /** Interval between recovery sweeps. Default: 5m. */
  readonly recoverEvery?: Exclude<Duration, number>
  /** How far back to search GitHub's log. Default: 3d; 7d on Enterprise Server. */
  readonly recoverLookback?: Exclude<Duration, number>
  /** redeliver (GitHub sends again) or pull (read GitHub's API). Default: redeliver. */
  readonly recoverMode?: 'redeliver' | 'pull'
  /** Events to recover: issues, pull_request.closed. Default: those with handlers, or all if there is no module. */
  readonly recoverEvents?: string | readonly string[]
  /** Also recover deliveries that GitHub shows as delivered. */
  readonly recoverIncludeOk?: boolean
  /** Pause between redeliveries; github.com asks for 1s. Default: 1s. */
  readonly recoverPace?: Exclude<Duration, number>
  /** Webhooks to poll, named as in `--recover`: read GitHub's log instead of receiving deliveries. Default: none. */
  readonly pull?: string | readonly string[]
  /** Interval between reads of the delivery log; longer near the rate limit. Default: 10s. */
  readonly pullEvery?: Exclude<Duration, number>
}

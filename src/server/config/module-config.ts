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
  readonly port?: number
  readonly host?: string
  readonly path?: string
  readonly publicUrl?: string
  readonly role?: 'all' | 'receiver' | 'worker'
  readonly database?: string
  readonly databaseUrlFile?: string
  readonly databaseSchema?: string
  readonly databaseConnections?: number
  readonly databaseMigrate?: boolean
  readonly retention?: Exclude<Duration, number>
  readonly auditRetention?: Exclude<Duration, number>
  readonly auditEntries?: number
  readonly maxSize?: Exclude<Size, number>
  readonly adminPort?: number
  readonly adminHost?: string
  readonly adminUrl?: string
  readonly adminToken?: string
  readonly adminTokenFile?: string
  readonly readOnlyToken?: string
  readonly readOnlyTokenFile?: string
  readonly adminGithubOperators?: string | readonly string[]
  readonly adminGithubViewers?: string | readonly string[]
  readonly validateIp?: boolean | 'warn'
  readonly ranges?: string | readonly string[]
  readonly validateSignature?: boolean
  readonly trustProxy?: string | readonly string[] | number
  readonly github?: string
  readonly apiUrl?: string
  readonly grace?: Exclude<Duration, number>
  readonly logLevel?: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  readonly quiet?: boolean
  readonly insecure?: boolean
  readonly githubToken?: string
  /** The webhooks, or all settings of recovery in one object. */
  readonly recover?:
    | string
    | readonly string[]
    | {
        readonly hooks:
          | string
          | readonly (string | { repository: string; id?: string } | { organization: string; id?: string })[]
        readonly every?: Exclude<Duration, number>
        readonly lookback?: Exclude<Duration, number>
        readonly mode?: 'redeliver' | 'pull'
        readonly events?: string | readonly string[]
        readonly includeOk?: boolean
        readonly pace?: Exclude<Duration, number>
      }
  readonly recoverEvery?: Exclude<Duration, number>
  readonly recoverLookback?: Exclude<Duration, number>
  readonly recoverMode?: 'redeliver' | 'pull'
  readonly recoverEvents?: string | readonly string[]
  readonly recoverIncludeOk?: boolean
  readonly recoverPace?: Exclude<Duration, number>
  readonly pull?: string | readonly string[]
  readonly pullEvery?: Exclude<Duration, number>
}

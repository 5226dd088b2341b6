/** The types of `export const config` in a user's module. Written out, because published types must not need valibot. */
import type { PermissionLevels } from '../../github/app/permission-levels.ts'
import type { Target } from '../../github/target.ts'

/** Texts such as `30d`, `12h`, `15m`, `30s` or `500ms`. */
type Duration = `${number}${'d' | 'h' | 'm' | 's' | 'ms'}`
/** Texts such as `500MiB` or `20GiB`. */
type Size = `${number}${'KiB' | 'MiB' | 'GiB' | 'TiB'}`
/** A list, also as a text with commas. */
type List = string | readonly string[]

/**
 * The settings of `hookserver serve` in a module, and the permissions of its App. A test compares the names with the
 * list of settings, whose descriptions `docs/settings.md` shows.
 * @example export const config = { retention: '7d', permissions: { issues: 'write' } } satisfies Config
 */
export interface ModuleConfig extends RecoverySettings {
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
  readonly retention?: Duration
  readonly auditRetention?: Duration
  readonly auditEntries?: number
  readonly maxSize?: Size
  readonly adminPort?: number
  readonly adminHost?: string
  readonly adminUrl?: string
  readonly adminToken?: string
  readonly adminTokenFile?: string
  readonly readOnlyToken?: string
  readonly readOnlyTokenFile?: string
  readonly adminGithubOperators?: List
  readonly adminGithubViewers?: List
  readonly validateIp?: boolean | 'warn'
  readonly ranges?: List
  readonly validateSignature?: boolean
  readonly trustProxy?: List | number
  readonly github?: string
  readonly apiUrl?: string
  readonly grace?: Duration
  readonly logLevel?: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  readonly quiet?: boolean
  readonly insecure?: boolean
  readonly githubToken?: string
  /** The webhooks, or all settings of recovery in one object. */
  readonly recover?: List | RecoveryObject
  readonly pull?: List
  readonly pullEvery?: Duration
}

interface RecoveryOptions {
  readonly every?: Duration
  readonly lookback?: Duration
  readonly mode?: 'redeliver' | 'pull'
  readonly events?: List
  readonly includeOk?: boolean
  readonly pace?: Duration
}

interface RecoveryObject extends RecoveryOptions {
  readonly hooks: string | readonly (string | Target)[]
}

/** `recoverEvery`, `recoverLookback` and so on. */
type RecoverySettings = {
  readonly [Name in keyof RecoveryOptions as `recover${Capitalize<Name>}`]: RecoveryOptions[Name]
}

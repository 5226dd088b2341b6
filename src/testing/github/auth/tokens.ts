import { randomBytes, randomUUID } from 'node:crypto'
import { badCredentials, suspended } from '../http/reply.ts'
import type { App } from '../world/app.ts'
import { anonymous, type Caller, type InstallationToken, type UserToken } from './caller.ts'
import { appOf } from './jwt.ts'
import type { Permissions } from './permissions.ts'

export interface LocalTokenOptions {
  /** Default: a new token. */
  token?: string
  /** The login of its user. Default: `octocat`. */
  login?: string
  /** The permissions of a fine-grained token, by GitHub's names. Default: all that the routes require. */
  permissions?: Permissions
  /** Makes it a classic token with the permissions of these scopes: `['repo', 'admin:org_hook']`. */
  scopes?: readonly string[]
}

/** The issued tokens, and the callers that they authenticate. */
export class Tokens {
  readonly #known = new Map<string, UserToken | InstallationToken>()

  /** @returns `text`. */
  add(token: UserToken | InstallationToken, text: string = newText(token)): string {
    this.#known.set(text, token)
    return text
  }

  /** @throws {HttpError} for invalid credentials. A caller without credentials is anonymous. */
  callerOf(authorization: string | undefined, apps: readonly App[], now: number): Caller {
    if (authorization === undefined) return anonymous
    const [, shown = ''] = /^(?:bearer|token) +(.+)$/i.exec(authorization) ?? []
    const token = this.#known.get(shown)
    if (token?.kind === 'installation') checkInstallation(token, now)
    if (token) return token
    if (shown.split('.').length !== 3 || shown.startsWith('ghs_')) throw badCredentials()
    const app = appOf(shown, apps, now)
    return { kind: 'app', budget: `app ${app.id}`, app }
  }
}

/** @throws {HttpError} if the token has expired, or its installation is deleted or suspended. */
function checkInstallation({ app, installation, expiresAt }: InstallationToken, now: number): void {
  if (expiresAt <= now || !app.installations.includes(installation)) throw badCredentials()
  if (installation.suspendedAt !== undefined) throw suspended()
}

/** A random text with GitHub's prefix for this kind of token. */
function newText({ kind, scopes }: { kind: string; scopes?: unknown }): string {
  const prefix = kind === 'installation' ? 'ghs_' : scopes ? 'ghp_' : 'github_pat_'
  return prefix + randomBytes(27).toString('base64url').replaceAll(/[-_]/g, '0')
}

/**
 * A token of about 520 characters in the format `ghs_APPID_JWT`, which GitHub has used since 2026. Only GitHub can
 * check the signature of the JWT, so random bytes of the same length replace the signature.
 */
export function statelessText({ app, installation, expiresAt }: Omit<InstallationToken, 'kind' | 'budget'>): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = { iss: 'github', sub: `installation:${installation.id}`, exp: Math.floor(expiresAt / 1000) }
  const jwt = [part({ alg: 'RS256', typ: 'JWT' }), part({ ...claims, jti: randomUUID() })]
  return `ghs_${app.id}_${[...jwt, randomBytes(256).toString('base64url')].join('.')}`
}

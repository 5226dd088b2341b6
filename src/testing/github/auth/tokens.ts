import { randomBytes, randomUUID } from 'node:crypto'
import { badCredentials, suspended } from '../http/reply.ts'
import type { App } from '../world/app.ts'
import { anonymous, type Caller, type InstallationToken, type UserToken } from './caller.ts'
import { appOf } from './jwt.ts'
import type { Permissions } from './permissions.ts'

/** A token to add to the local GitHub. */
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

  /** GitHub answers 401 to a revoked token. @returns whether the token was known. */
  revoke(token: string): boolean {
    return this.#known.delete(token)
  }

  /** @throws {HttpError} for invalid credentials. A caller without credentials is anonymous. */
  callerOf(authorization: string | undefined, apps: readonly App[], now: number): Caller {
    if (authorization === undefined) return anonymous
    const shown = credentialIn(authorization)
    const token = this.#known.get(shown)
    if (token?.kind === 'installation') checkInstallation(token, now)
    else if (token?.expiresAt !== undefined && token.expiresAt <= now) throw badCredentials()
    if (token) return token
    if (!isJwt(shown) || !/^bearer /i.test(authorization)) throw badCredentials()
    const app = appOf(shown, apps, now)
    return { kind: 'app', budget: `app ${app.id}`, app }
  }
}

/** The token in a header, which may be a JWT. Empty: the header contains none. */
function credentialIn(authorization: string): string {
  const [, scheme = '', value = ''] = /^(bearer|token|basic) +(.+)$/i.exec(authorization) ?? []
  return scheme.toLowerCase() === 'basic' ? passwordIn(value) : value
}

/**
 * The token of Basic authentication: the password, with any user name. If the password is empty or `x-oauth-basic`, the
 * token is the user name.
 */
function passwordIn(encoded: string): string {
  const [, user = '', password = ''] = /^([^:]*):(.*)$/s.exec(Buffer.from(encoded, 'base64').toString()) ?? []
  return password === '' || password === 'x-oauth-basic' ? user : password
}

const isJwt = (text: string): boolean => text.split('.').length === 3 && !text.startsWith('ghs_')

/** @throws {HttpError} if the token has expired, or its installation is deleted or suspended. */
function checkInstallation({ app, installation, expiresAt }: InstallationToken, now: number): void {
  if (expiresAt <= now || !app.installations.includes(installation)) throw badCredentials()
  if (installation.suspendedAt !== undefined) throw suspended()
}

/** A random text with GitHub's prefix for this kind of token. */
function newText(token: UserToken | InstallationToken): string {
  const prefix = token.kind === 'installation' ? 'ghs_' : token.app ? 'ghu_' : token.scopes ? 'ghp_' : 'github_pat_'
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

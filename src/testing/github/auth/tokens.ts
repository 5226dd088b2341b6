import { randomBytes } from 'node:crypto'
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

  /** @returns The token. */
  add(token: UserToken | InstallationToken, text: string = newText(token)): string {
    this.#known.set(text, token)
    return text
  }

  /** @throws {Refusal} for invalid credentials. A caller without credentials is anonymous. */
  callerOf(authorization: string | undefined, apps: readonly App[], now: number): Caller {
    if (authorization === undefined) return anonymous
    const [, shown = ''] = /^(?:bearer|token) +(.+)$/i.exec(authorization) ?? []
    const token = this.#known.get(shown)
    if (token?.kind === 'installation') checkInstallation(token, now)
    if (token) return token
    if (shown.split('.').length !== 3) throw badCredentials()
    const app = appOf(shown, apps, now)
    return { kind: 'app', budget: `app ${app.id}`, app }
  }
}

/** @throws {Refusal} if the token has expired, or its installation is deleted or suspended. */
function checkInstallation({ app, installation, expiresAt }: InstallationToken, now: number): void {
  if (expiresAt <= now || !app.installations.includes(installation)) throw badCredentials()
  if (installation.suspendedAt !== undefined) throw suspended()
}

/** Token formats with GitHub's prefixes. */
function newText({ kind, scopes }: { kind: string; scopes?: unknown }): string {
  const prefix = kind === 'installation' ? 'ghs_' : scopes ? 'ghp_' : 'github_pat_'
  return prefix + randomBytes(27).toString('base64url').replaceAll(/[-_]/g, '0')
}

import type { App, Installation } from '../world/app.ts'
import type { Account, Repository } from '../world/repository.ts'
import type { Permissions } from './permissions.ts'

/** The sender of a request. Requests with the same `budget` share a rate limit. */
export type Caller = Anonymous | UserToken | InstallationToken | AppCaller

export interface Anonymous {
  kind: 'anonymous'
  budget: string
}

/** A personal access token (fine-grained, or classic with `scopes`), or the token of a user for an App. */
export interface UserToken {
  kind: 'user'
  budget: string
  user: Account
  permissions: Permissions
  scopes: readonly string[] | undefined
  /** The App that the user has authorized. `undefined`: a personal access token. */
  app?: App
  /** In milliseconds since 1970. Default: never. */
  expiresAt?: number
}

export interface InstallationToken {
  kind: 'installation'
  budget: string
  app: App
  installation: Installation
  permissions: Permissions
  /** `undefined`: all repositories of the installation. */
  repositories: readonly Repository[] | undefined
  /** In milliseconds since 1970. */
  expiresAt: number
}

/** An App that authenticates with a JWT. */
export interface AppCaller {
  kind: 'app'
  budget: string
  app: App
}

export const anonymous: Anonymous = { kind: 'anonymous', budget: 'anonymous' }

/** The caller's name in messages about rate limits. */
export function nameOf(caller: Caller): string {
  if (caller.kind === 'user') return `user ID ${caller.user.id}`
  if (caller.kind === 'installation') return `installation ID ${caller.installation.id}`
  return caller.kind === 'app' ? `app ID ${caller.app.id}` : '127.0.0.1'
}

/** The account that acts for the caller: the user, or the bot of an App. */
export function actorOf(caller: UserToken | InstallationToken): Account {
  if (caller.kind === 'user') return caller.user
  const { id, slug } = caller.app
  return { id, login: `${slug}[bot]`, type: 'Bot' }
}

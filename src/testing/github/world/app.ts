import { createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import { grantable, type Permissions } from '../auth/permissions.ts'
import type { Account, Repository } from './repository.ts'

/** An App to add to the local GitHub. */
export interface LocalAppOptions {
  /** The App ID. */
  id: number
  /** Default: derived from the id. */
  clientId?: string
  /** The secret with which it exchanges the codes of users. Default: a random one. */
  clientSecret?: string
  /** The addresses that a browser may be sent to after a user has authorized the App. Default: none. */
  callbackUrls?: readonly string[]
  /** Its name in URLs. Default: `app-ID`. */
  slug?: string
  /** Its name on pages and in the API. Default: the slug. */
  name?: string
  /** For the page of the App. Default: none. */
  description?: string
  /** The address of its homepage. Default: that of the local GitHub. */
  homepage?: string
  /** The address that a browser is sent to after an installation. Default: a page of the local GitHub. */
  setupUrl?: string
  /** Whether accounts other than its owner can install it. Default: `true`. */
  public?: boolean
  /** PEM. Default: an RSA key that no other App of this local GitHub has. `addApp()` returns it. */
  privateKey?: string
  /** The login of its owner. Default: `octocat`. */
  owner?: string
  /** The permissions of its installations. Default: all that the routes require. */
  permissions?: Permissions
  /** The events that the API shows for the App. `addHook()` sets the events of its webhook. Default: none. */
  events?: readonly string[]
  /** Default: none. */
  installations?: readonly LocalInstallationOptions[]
}

/** An installation of an App, with its id. */
export interface LocalInstallationOptions extends LocalInstallOptions {
  /** The id in payloads and in the API. */
  id: number
  /** The login of the organization. Default: the owner of the first repository. */
  account?: string
}

/** Where to install an App. */
export interface LocalInstallOptions {
  /** The login of a user or an organization. Default: the owner of the first repository, or of the App. */
  account?: string | undefined
  /** Full names: `octo/hello`. Default: all repositories of the account. */
  repositories?: readonly string[] | undefined
}

/** A GitHub App. */
export interface LocalApp {
  /** The App ID, which its JWTs name as their issuer. */
  readonly id: number
  /** Identifies the App in the login of users, and may be the issuer of its JWTs. */
  readonly clientId: string
  /** For the login of users. */
  readonly clientSecret: string
  /** The name in URLs, and in the login of its bot. */
  readonly slug: string
  /** As its pages show it. */
  readonly name: string
  /** PEM, as GitHub offers it for download. */
  readonly privateKey: string
  /** Those that exist now, also suspended ones. */
  readonly installations: readonly Installation[]
}

export interface App extends LocalApp {
  callbackUrls: readonly string[]
  owner: Account
  /** PEM, and not a `KeyObject` of Node.js: the published types must compile without the types of Node.js. */
  publicKey: string
  permissions: Permissions
  events: readonly string[]
  installations: Installation[]
  createdAt: number
  description: string | undefined
  homepage: string | undefined
  setupUrl: string | undefined
  public: boolean
}

/** An installation of an App. */
export interface Installation {
  readonly id: number
  readonly account: Account
  /** `undefined`: all repositories of the account. */
  readonly repositories: readonly Repository[] | undefined
  readonly createdAt: number
  /** While it is set, the tokens of the installation are rejected. In milliseconds since 1970. */
  suspendedAt: number | undefined
}

/**
 * An App without installations.
 * @param index How many Apps its GitHub had before.
 */
export function makeApp(options: LocalAppOptions, owner: Account, createdAt: number, index: number): App {
  const { id, clientId = `Iv1.${id.toString(16).padStart(16, '0')}`, slug = `app-${id}`, name = slug } = options
  const { permissions = grantable, events = [], public: visible = true } = options
  const { description, homepage, setupUrl, privateKey = keyAt(index), callbackUrls = [] } = options
  const { clientSecret = randomBytes(20).toString('hex') } = options
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString()
  const profile = { clientId, clientSecret, callbackUrls, slug, name, description, homepage, setupUrl, public: visible }
  return { id, ...profile, owner, privateKey, publicKey, permissions, events, installations: [], createdAt }
}

/** Generating a key takes 80 ms, so the Apps with the same index in all local GitHubs of a process have the same key. */
function keyAt(index: number): string {
  keys[index] ??= newKey()
  return keys[index]
}

const keys: string[] = []

/** A key with the length and format of GitHub's keys. */
function newKey(): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return privateKey.export({ type: 'pkcs1', format: 'pem' }).toString()
}

/** Whether GitHub sends events of the repository to the installation. */
export const isSentEventsOf = (installation: Installation, repository: Repository): boolean =>
  installation.suspendedAt === undefined && covers(installation, repository)

export function covers(
  { account, repositories }: Pick<Installation, 'account' | 'repositories'>,
  repository: Repository,
): boolean {
  return repository.owner === account && (repositories?.includes(repository) ?? true) // it may have got another owner
}

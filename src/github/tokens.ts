import { isObject, type Json, objectIn, textIn } from '../runtime/json.ts'
import { wait } from '../runtime/timer.ts'
import { hour, minute } from '../runtime/units.ts'
import { AnswerError, parseAnswer } from './answer.ts'
import { isGranted } from './app/permission-levels.ts'
import type { Permissions } from './event-permissions.ts'
import type { RequestError, Requester } from './requester.ts'

interface InstallationToken {
  readonly text: string
  /** By this machine's clock, in milliseconds since 1970. */
  readonly createdAt: number
  readonly renewAt: number
  readonly permissions: Permissions
}

/** Milliseconds that GitHub's tokens are valid, for an answer without `expires_at`, as mocks of GitHub give it. */
const usualLifetime = hour

/** A token is not used in its last minute, so that a request does not outlive it. */
const expiryMargin = minute
/**
 * How long GitHub may reject a new token, in milliseconds from its creation, because not all of GitHub's servers know
 * the token yet. The rejected request is retried after 1 s with the same token.
 */
const propagationTime = 5000
/** A younger token is not replaced if it lacks a permission, so that an App without it creates few tokens. */
const minPermissionAge = minute

/** Installation tokens of an App. All callers share the token of an installation, as long as it has a minute left. */
export class InstallationTokens {
  readonly #app: Requester
  /** The tokens by installation id, ordered by the time at which they expire. */
  readonly #tokens = new Map<string, InstallationToken>()
  readonly #pending = new Map<string, Promise<InstallationToken>>()

  /** @param app Authenticates as the App itself. */
  constructor(app: Requester) {
    this.#app = app
  }

  async get(installation: string): Promise<string> {
    const token = this.#tokens.get(installation)
    return token && Date.now() < token.renewAt ? token.text : this.#renew(installation)
  }

  /** The permissions of the present token, if there is one. */
  permissionsOf(installation: string): Permissions | undefined {
    return this.#tokens.get(installation)?.permissions
  }

  /**
   * The token to use after GitHub rejected the token `rejected` with 401, for example because it was revoked. Usually,
   * this method returns a new token. If `rejected` is younger than `propagationTime`, this method waits for 1 s, and
   * returns `rejected` again.
   */
  async replace(installation: string, rejected: string): Promise<string> {
    const token = this.#tokens.get(installation)
    if (token?.text !== rejected) return this.get(installation) // another caller has replaced it
    const age = Date.now() - token.createdAt // negative after this machine's clock was set back
    if (age >= 0 && age < propagationTime) {
      await wait(1000, new Promise(() => {}), true)
      return this.get(installation)
    }
    return this.#renew(installation)
  }

  /**
   * The token to use after GitHub rejected the token `rejected`, because it lacks a permission. A token keeps the permissions
   * that the installation had when the token was created, and the account may have accepted more since then.
   * @param needed As in the header `X-Accepted-GitHub-Permissions`.
   * @returns `undefined` if there is no token with the permission.
   */
  async withPermission(installation: string, rejected: string, needed: string): Promise<string | undefined> {
    const token = this.#tokens.get(installation)
    if (token?.text === rejected && !isGranted(needed, token.permissions)) {
      const age = Date.now() - token.createdAt // negative after this machine's clock was set back
      if (age < 0 || age >= minPermissionAge) await this.#renew(installation)
    }
    const current = this.#tokens.get(installation)
    return current && current.text !== rejected && isGranted(needed, current.permissions) ? current.text : undefined
  }

  async #renew(installation: string): Promise<string> {
    let pending = this.#pending.get(installation)
    if (!pending) {
      pending = this.#create(installation).finally(() => this.#pending.delete(installation))
      this.#pending.set(installation, pending)
    }
    return (await pending).text
  }

  async #create(installation: string): Promise<InstallationToken> {
    const { text, headers } = await this.#app.request(`POST /app/installations/${installation}/access_tokens`)
    const data = parseAnswer(text)
    const [tokenText, expiresAt] = isObject(data) ? [textIn(data, 'token'), textIn(data, 'expires_at')] : []
    if (tokenText === undefined) throw new AnswerError('GitHub answered without a token for the installation')
    const now = Date.now()
    const lifetime = Date.parse(expiresAt ?? '') - (Date.parse(String(headers.date)) || now) || usualLifetime // both by GitHub's clock
    const permissions = (isObject(data) && objectIn(data, 'permissions')) || {}
    const token: InstallationToken = {
      ...{ text: tokenText, createdAt: now, renewAt: now + lifetime - expiryMargin },
      permissions: permissions as Permissions,
    }
    this.#deleteExpired(now)
    this.#tokens.delete(installation) // keeps the map ordered by expiration
    this.#tokens.set(installation, token)
    return token
  }

  /** Without this, the tokens of installations that are no longer used would accumulate. */
  #deleteExpired(now: number): void {
    for (const [installation, { renewAt }] of this.#tokens) {
      if (now < renewAt) return
      this.#tokens.delete(installation)
    }
  }
}

/** The part of Octokit's `request` that an authentication strategy uses. */
interface RequestFunction {
  (endpoint: Endpoint): Promise<unknown>
  endpoint: { merge(route: unknown, parameters: unknown): Endpoint }
}

interface Endpoint {
  headers: Record<string, unknown>
}

/** The return value of Octokit's option `authStrategy`: https://github.com/octokit/auth-token.js */
interface Authentication {
  /** The result of `octokit.auth()`, for `git clone` and the like. */
  (): Promise<{ type: 'token'; tokenType: 'installation'; token: string; installationId: string }>
  hook(request: RequestFunction, route: unknown, parameters: unknown): Promise<unknown>
}

/** The installation that an Octokit authenticates as. Its id changes if the account installs the App again. */
export interface InstallationSource {
  id(): Promise<string>
  /** The id to use instead of one that GitHub no longer knows. @throws {Error} (rejects) if there is none. */
  replace(id: string, error: unknown): Promise<string>
  /** The id to use after GitHub denied a request of the installation `id`. `undefined` if the id is still the same. */
  otherThan(id: string): Promise<string | undefined>
}

/** An installation that is known only by its id. */
export const fixedInstallation = (installation: string): InstallationSource => ({
  id: async () => installation,
  replace: (_id, error) => Promise.reject(error),
  otherThan: async () => undefined,
})

/** The maximum number of requests for one call while GitHub rejects the tokens. */
const maxTries = 3

/**
 * Authenticates as an installation. A rejected token is replaced, because GitHub may revoke it before it expires, because
 * the account may have accepted more permissions, and because a repository may have got an owner with another installation.
 */
export function authenticateInstallation(source: InstallationSource, tokens: InstallationTokens): Authentication {
  const getToken = async (create: (installation: string) => Promise<string>) => {
    const installation = await source.id()
    try {
      return { installation, token: await create(installation) }
    } catch (error) {
      if (statusOf(error) !== 404) throw error
      const replacement = await source.replace(installation, error)
      return { installation: replacement, token: await create(replacement) }
    }
  }
  const auth = async () => {
    const { installation, token } = await getToken((id) => tokens.get(id))
    return { type: 'token', tokenType: 'installation', token, installationId: installation } as const
  }
  const hook: Authentication['hook'] = async (request, route, parameters) => {
    const endpoint = request.endpoint.merge(route, parameters)
    let { installation, token } = await getToken((id) => tokens.get(id))
    for (let tries = 1; ; tries++) {
      endpoint.headers.authorization = `token ${token}`
      try {
        return await request(endpoint)
      } catch (error) {
        if (tries === maxTries) throw error
        const rejected = token
        if (statusOf(error) === 401) {
          ;({ installation, token } = await getToken((id) => tokens.replace(id, rejected)))
          continue
        }
        const needed = neededPermission(error)
        const better = needed && (await tokens.withPermission(installation, rejected, needed))
        if (better) {
          token = better
          continue
        }
        const other = isDenied(error) ? await source.otherThan(installation).catch(() => undefined) : undefined
        if (other === undefined) throw error
        installation = other
        token = await tokens.get(other)
      }
    }
  }
  return Object.assign(auth, { hook })
}

/** Whether GitHub hides an object from the installation, or the installation lacks a permission. A limit is also a 403. */
const isDenied = (error: unknown): boolean => statusOf(error) === 404 || isNotAccessible(error as RequestError)

const isNotAccessible = ({ status, message }: RequestError): boolean =>
  status === 403 && /^Resource not accessible by integration/.test(message)

/** The permissions that a request needs, if GitHub has rejected it because the installation lacks them. */
function neededPermission(error: unknown): string | undefined {
  if (!isNotAccessible(error as RequestError)) return undefined
  return textIn(objectIn((error as RequestError).response as Json, 'headers'), 'x-accepted-github-permissions')
}

const statusOf = (error: unknown): unknown => (error as { status?: unknown }).status

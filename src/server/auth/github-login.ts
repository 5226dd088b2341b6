import { createHash, createHmac, randomBytes } from 'node:crypto'
import type { Context } from 'hono'
import { deleteCookie, setCookie } from 'hono/cookie'
import type { CookieOptions } from 'hono/utils/cookie'
import {
  authorizationUrl,
  exchangeUserCode,
  formatGroup,
  GitHubUser,
  type Group,
  type LoginApp,
  loginSignal,
  UserLoginError,
} from '../../github/app/user-login.ts'
import type { AuditLog } from '../../inbox/inbox.ts'
import { newAuditEntry, recordOrLog } from '../../inbox/new-audit-entry.ts'
import type { FullLogger } from '../../telemetry/logger.ts'
import { clientAddress } from '../client-address.ts'
import { cookiesNamed, portIn } from './cookies.ts'
import { areEqual } from './equal-texts.ts'
import type { Visitor } from './sessions.ts'
import { WrongTokens } from './wrong-tokens.ts'

/** Who may log in with GitHub. */
export interface GitHubAccess {
  app: LoginApp
  /** Members may change everything. */
  operators: readonly Group[]
  /** Members may read everything. */
  viewers: readonly Group[]
}

interface GitHubLoginOptions extends GitHubAccess {
  /** Signs the cookie of a login. */
  key: string
  /** The URL that browsers use, without a slash at its end. Default: that of the request. */
  url: string | undefined
  inbox: Pick<AuditLog, 'recordAction'>
  logger: FullLogger
  /** Starts a session of the visitor: sets its cookie. */
  beginSession(context: Context, visitor: Visitor): void
}

/** Why a login ended without a session. The dashboard has a text for each. */
type LoginFailure = 'expired' | 'denied' | 'forbidden' | 'failed' | 'wait'

/** Seconds that a login may take, from the click to the return of the browser. GitHub's codes live as long. */
const loginAge = 600

/**
 * The login with GitHub:
 *
 * 1. `start` sets a cookie, and sends the browser to GitHub.
 * 2. The user authorizes the App there. GitHub sends the browser to `finish` with a code and the state.
 * 3. `finish` checks that a cookie of this browser belongs to the state, and then deletes it. It exchanges the code for a
 *    token, reads the memberships of the user with it, forgets the token, and starts a session.
 *
 * The cookie holds the state and the verifier of PKCE, signed. So another browser cannot finish a login, and this server
 * stores nothing until the login succeeds. Each failure sends the browser to the dashboard, which shows the reason.
 */
export class GitHubLogin {
  readonly #options: GitHubLoginOptions
  readonly #wrong = new WrongTokens()

  constructor(options: GitHubLoginOptions) {
    this.#options = options
  }

  readonly start = (context: Context): Response => {
    const [state, verifier] = [randomBytes(24), randomBytes(32)].map((bytes) => bytes.toString('base64url')) as [
      string,
      string,
    ]
    const content = `${state}.${verifier}.${Date.now() + loginAge * 1000}`
    const [name, scope] = this.#cookie(context)
    setCookie(context, name, `${content}.${this.#mac(content)}`, { ...scope, maxAge: loginAge })
    const challenge = createHash('sha256').update(verifier).digest('base64url')
    const redirectUri = this.#redirectUri(context)
    return this.#redirect(context, authorizationUrl(this.#options.app, { redirectUri, state, challenge }))
  }

  readonly finish = async (context: Context): Promise<Response> => {
    const home = `${this.#base(context)}/`
    const [name, scope] = this.#cookie(context)
    const verifier = this.#verifierIn(cookiesNamed(context, name), context.req.query('state'))
    // Any page can send the browser here with a state of its own, which must not end a login that has begun.
    if (verifier !== undefined) deleteCookie(context, name, scope)
    const result = await this.#visitorOf(context, verifier)
    if (typeof result === 'string') return this.#redirect(context, `${home}#login=${result}`)
    const actor = { access: 'github', person: result.person, address: clientAddress(context) } as const
    await recordOrLog(this.#options, newAuditEntry(actor, 'login'), { count: 1 })
    this.#options.beginSession(context, result)
    return this.#redirect(context, home)
  }

  /** @param verifier `undefined` if this browser has not started this login. */
  async #visitorOf(context: Context, verifier: string | undefined): Promise<Visitor | LoginFailure> {
    const { logger, app } = this.#options
    const { code, error } = context.req.query()
    if (verifier === undefined) return 'expired'
    if (error === 'access_denied') return 'denied'
    const [address, now] = [clientAddress(context) ?? '', performance.now()]
    if (this.#wrong.wait(address, now) > 0) return 'wait'
    // Counted before the exchange, so that requests at the same time cannot exceed the limit, and taken back unless
    // GitHub rejects the code: an outage must not make the users of one address wait.
    const attempt = code || `no code ${verifier}`
    this.#wrong.add(address, attempt, now)
    if (!code) {
      const reason = error !== undefined && /^\w{1,100}$/.test(error) ? error : 'no code'
      logger.warn({ address }, `Login with GitHub failed: GitHub sent the browser back with ${reason}`)
      return 'failed'
    }
    let isRejected = false
    try {
      const signal = loginSignal()
      const redirectUri = this.#redirectUri(context)
      const token = await exchangeUserCode(app, { code, verifier, redirectUri }, signal)
      const user = await GitHubUser.identify(token, app.apiUrl, signal)
      const role = await this.#roleOf(user)
      if (role !== undefined) return { readOnly: role === 'viewer', person: user.login }
      logger.warn({ person: user.login, address }, 'Login with GitHub rejected: not a member')
      return 'forbidden'
    } catch (thrown) {
      if (!(thrown instanceof UserLoginError)) throw thrown
      isRejected = thrown.code === 'rejected'
      logger.error({ address }, `Login with GitHub failed: ${thrown.message}`)
      return isRejected ? 'expired' : 'failed'
    } finally {
      if (!isRejected) this.#wrong.takeBack(address, attempt)
    }
  }

  /**
   * If GitHub does not answer for one group, the others decide, and the log names the reason: it may be why an operator
   * becomes a viewer.
   * @throws {UserLoginError} if no other group decides.
   */
  async #roleOf(user: GitHubUser): Promise<'operator' | 'viewer' | undefined> {
    const { operators, viewers, logger } = this.#options
    const groups = [
      ...operators.map((group) => ({ group, role: 'operator' as const })),
      ...viewers.map((group) => ({ group, role: 'viewer' as const })),
    ]
    let failure: UserLoginError | undefined
    for (const { group, role } of groups) {
      try {
        if (!(await user.isMember(group))) continue
        if (failure) logger.warn({ person: user.login, role }, `Login with GitHub lacks a group: ${failure.message}`)
        return role
      } catch (error) {
        if (!(error instanceof UserLoginError) || error.code === 'rejected') throw error
        failure ??= error
      }
    }
    if (failure) throw failure
    return undefined
  }

  /** The verifier of the login that this browser has started with this state. */
  #verifierIn(cookies: readonly string[], state: string | undefined): string | undefined {
    for (const cookie of cookies) {
      const [own = '', verifier, end, mac = ''] = cookie.split('.', 4)
      const isOurs = areEqual(mac, this.#mac(`${own}.${verifier}.${end}`)) && Number(end) > Date.now()
      if (isOurs && state !== undefined && areEqual(own, state)) return verifier
    }
    return undefined
  }

  #mac(content: string): string {
    return createHmac('sha256', this.#options.key).update(`login ${content}`).digest('base64url')
  }

  /** The headers `Host` of requests have been checked. */
  #base(context: Context): string {
    return this.#options.url ?? `http://${context.req.header('host')}`
  }

  #redirectUri(context: Context): string {
    return `${this.#base(context)}/login/github/callback`
  }

  /**
   * The name and the scope of the cookie. With https, no other server of the same domain can set it. `Lax`, because the
   * browser comes back from another site.
   */
  #cookie(context: Context): [name: string, scope: CookieOptions] {
    const { protocol, pathname } = new URL(this.#base(context))
    const port = portIn(context)
    const shared = { httpOnly: true, sameSite: 'Lax' } as const
    if (protocol === 'https:') return [`__Host-hookserver-login-${port}`, { ...shared, secure: true, path: '/' }]
    return [`hookserver-login-${port}`, { ...shared, path: `${pathname.replace(/\/+$/, '')}/login` }]
  }

  /** @param url A page of GitHub, or the dashboard: never an address from a request. */
  #redirect(context: Context, url: string): Response {
    context.header('cache-control', 'no-store')
    return context.redirect(url, 303)
  }
}

/** Changes if the settings of the access change, so that sessions that began with other settings end. */
export function accessDigest({ app, operators, viewers }: GitHubAccess): string {
  const parts = [app.clientId, app.github, operators.map(formatGroup), viewers.map(formatGroup)]
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url')
}

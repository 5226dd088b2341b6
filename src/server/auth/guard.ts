import type { Context, MiddlewareHandler } from 'hono'
import type { Actor } from '../../inbox/audit-log.ts'
import type { AuditLog } from '../../inbox/inbox.ts'
import type { FullLogger } from '../../telemetry/logger.ts'
import { clientAddress } from '../client-address.ts'
import { ProblemError } from '../problem.ts'
import { deleteSessionCookie, sessionCookies, setSessionCookie } from './cookies.ts'
import { accessDigest, type GitHubAccess, GitHubLogin } from './github-login.ts'
import type { RevocationStore } from './revoked-sessions.ts'
import { ageOf, Sessions, type Tokens, type Visitor } from './sessions.ts'
import { SiteCheck } from './site-check.ts'
import { maxWrong, WrongTokens } from './wrong-tokens.ts'

interface GuardOptions {
  tokens: Tokens
  /** Stores revoked sessions, and entries of the audit log. */
  inbox: RevocationStore & Pick<AuditLog, 'recordAction'>
  /** The address of the admin listener. */
  host: string
  /** The URL that browsers use to reach the admin listener through a proxy (`--admin-url`). */
  url?: string | undefined
  /** Who may log in with GitHub. Default: no user. */
  github?: GitHubAccess | undefined
  logger: FullLogger
}

/** Authorizes requests to the admin listener, by a token or by a session cookie. */
export class Guard {
  readonly site: SiteCheck
  /** `undefined` unless users may log in with GitHub. */
  readonly github: GitHubLogin | undefined
  readonly #sessions: Sessions
  readonly #wrong = new WrongTokens()

  constructor({ tokens, inbox, host, url, github, logger }: GuardOptions) {
    const key = github && `${tokens.token} ${accessDigest(github)}`
    this.#sessions = new Sessions({ ...tokens, githubKey: key }, inbox)
    this.site = new SiteCheck(host, url)
    const beginSession = (context: Context, visitor: Visitor) => this.#begin(context, visitor)
    this.github = github && key ? new GitHubLogin({ ...github, key, url, inbox, logger, beginSession }) : undefined
  }

  /** Requires a token or a session. */
  readonly authorized: MiddlewareHandler = async (context, next) => {
    const bearer = /^Bearer +(\S+) *$/i.exec(context.req.header('authorization') ?? '')?.[1]
    const visitor = bearer === undefined ? await this.#checkSession(context) : this.#checkToken(context, bearer)
    context.set(visitorKey, visitor)
    await next()
  }

  /** Requires full access for requests that change something. Use it after `authorized`. */
  readonly mayAct: MiddlewareHandler = async (context, next) => {
    const { readOnly, person } = visitorIn(context)
    if (readOnly && changes(context)) throw new ProblemError('read_only', readOnlyHint(person))
    await next()
  }

  /** Whether a visitor is still authorized. A session ends at a logout or when it expires; a token does not end. */
  async isStillIn(context: Context): Promise<boolean> {
    return visitorIn(context).expiresAt === undefined || (await this.#session(context)) !== undefined
  }

  /** Identifies the client of a request: the cookie of its session. The address if the client sent a token instead. */
  sessionOf(context: Context): string {
    return (context.get(cookieKey) as string | undefined) ?? `token ${clientAddress(context)}`
  }

  /** Finds the visitor who has a token, as `authorized` does. */
  checkToken(context: Context, token: string): void {
    context.set(visitorKey, this.#checkToken(context, token))
  }

  /** Sets the cookie of a new session of the visitor. Scripts cannot read the cookie, and other sites cannot use it. */
  beginSession(context: Context): Response {
    this.#begin(context, visitorIn(context))
    return context.body(null, 204)
  }

  /**
   * Revokes the session, then deletes its cookie.
   * @returns whether this request has revoked a session, and not an earlier or a concurrent one.
   * @throws if the revocation is not stored: the session stays valid.
   */
  async logout(context: Context): Promise<boolean> {
    let hasEnded = false
    for (const cookie of sessionCookies(context)) hasEnded = (await this.#sessions.end(cookie)) || hasEnded
    deleteSessionCookie(context, this.site.adminUrlOf(context))
    return hasEnded
  }

  #begin(context: Context, visitor: Visitor): void {
    const cookie = this.#sessions.begin(visitor)
    // GitHub sends the browser to `--admin-url` if it is set, also through a proxy that changes `Host`.
    const adminUrl = visitor.person === undefined ? this.site.adminUrlOf(context) : this.site.adminUrl
    setSessionCookie(context, cookie, ageOf(visitor), adminUrl)
  }

  /**
   * Accepts the right token even from an address that has sent too many wrong ones, because clients may share an
   * address. This is safe because a token is too long to guess.
   */
  #checkToken(context: Context, given: string): Visitor {
    const visitor = this.#sessions.visitorWith(given)
    if (visitor) return visitor
    const [address, now] = [clientAddress(context) ?? '', performance.now()]
    const wait = this.#wrong.wait(address, now)
    if (wait > 0) {
      context.header('retry-after', String(Math.ceil(wait / 1000)))
      const detail = `${maxWrong} wrong tokens from this address within a minute: send the right token, or wait`
      throw new ProblemError('too_many_tries', detail)
    }
    this.#wrong.add(address, given, now)
    throw unauthorized(context, 'Wrong token')
  }

  /** Checks all cookies with our name, because other servers on this machine can set cookies with the same name. */
  async #session(context: Context): Promise<{ visitor: Visitor; cookie: string } | undefined> {
    for (const cookie of sessionCookies(context)) {
      const visitor = await this.#sessions.visitorOf(cookie)
      if (visitor) return { visitor, cookie }
    }
    return undefined
  }

  async #checkSession(context: Context): Promise<Visitor> {
    const { visitor, cookie } = (await this.#session(context)) ?? {}
    if (!visitor) throw unauthorized(context, 'A token is required: Authorization: Bearer …')
    context.set(cookieKey, cookie)
    // Cookies ignore ports, so a page of another server on this machine sends our cookie too. SiteCheck has already
    // rejected requests whose `Origin` or `Sec-Fetch-Site` shows a foreign page. When our page sends a request that
    // changes something, the browser adds one of these headers, and `Sec-Fetch-Site` is not `none`. So such a request
    // without these headers does not come from our page.
    const page = context.req.header('origin') ?? context.req.header('sec-fetch-site')
    if (!changes(context) || (page !== undefined && page !== 'none')) return visitor
    throw new ProblemError(
      'forbidden_page',
      'Session cookies are only for pages of this server: scripts must send the token',
    )
  }
}

const readOnlyHint = (person: string | undefined): string =>
  person === undefined
    ? 'This token is read-only: changes need the admin token (--admin-token)'
    : `${person} may only read: changes need a member of --admin-github-operators`

/** The names under which `authorized` stores the visitor and the session cookie in the context of a request. */
const [visitorKey, cookieKey] = ['visitor', 'sessionCookie']

/** The visitor that the guard has found. */
export const visitorIn = (context: Context): Visitor => context.get(visitorKey) as Visitor

/** The operator that sent a request, for the audit log. */
export function actorOf(context: Context): Actor {
  const { readOnly, person } = visitorIn(context)
  const access = person !== undefined ? 'github' : readOnly ? 'read-only token' : 'token'
  return { access, person, address: clientAddress(context) }
}

const changes = (context: Context): boolean => !['GET', 'HEAD'].includes(context.req.method)

function unauthorized(context: Context, detail: string): ProblemError {
  context.header('www-authenticate', 'Bearer')
  return new ProblemError('unauthorized', detail)
}

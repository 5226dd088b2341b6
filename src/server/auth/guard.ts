import { createHash } from 'node:crypto'
import type { Context, MiddlewareHandler } from 'hono'
import type { Actor } from '../../inbox/audit-log.ts'
import { parseAddress } from '../../runtime/cidr.ts'
import { clientAddress } from '../listener.ts'
import { ProblemError } from '../problem.ts'
import type { RevocationStore } from './revoked-sessions.ts'
import {
  deleteSessionCookie,
  Sessions,
  sessionCookies,
  setSessionCookie,
  type Tokens,
  type Visitor,
} from './sessions.ts'
import { SiteCheck } from './site-check.ts'

interface GuardOptions {
  tokens: Tokens
  /** Stores revoked sessions. */
  inbox: RevocationStore
  /** The address of the admin listener. */
  host: string
  /** The URL that browsers use to reach the admin listener through a proxy (`--admin-url`). */
  url?: string | undefined
}

/** Authorizes requests to the admin listener, by a token or by a session cookie. */
export class Guard {
  readonly site: SiteCheck
  readonly #sessions: Sessions
  readonly #wrong = new WrongTokens()

  constructor({ tokens, inbox, host, url }: GuardOptions) {
    this.#sessions = new Sessions(tokens, inbox)
    this.site = new SiteCheck(host, url)
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
    if (visitorIn(context).readOnly && changes(context)) throw new ProblemError('read_only', readOnlyHint)
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
    setSessionCookie(context, this.#sessions.begin(visitorIn(context)), this.site.adminUrlOf(context))
    return context.body(null, 204)
  }

  /** Revokes the session, then deletes its cookie. @throws if the revocation is not stored: the session stays valid. */
  async logout(context: Context): Promise<Response> {
    for (const cookie of sessionCookies(context)) await this.#sessions.end(cookie)
    deleteSessionCookie(context, this.site.adminUrlOf(context))
    return context.body(null, 204)
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

const readOnlyHint = 'This token is read-only: changes need the admin token (--admin-token)'

/** The names under which `authorized` stores the visitor and the session cookie in the context of a request. */
const [visitorKey, cookieKey] = ['visitor', 'sessionCookie']

/** The visitor that the guard has found. */
export const visitorIn = (context: Context): Visitor => context.get(visitorKey) as Visitor

/** The operator that sent a request, for the audit log. */
export function actorOf(context: Context): Actor {
  const { readOnly } = visitorIn(context)
  return { access: readOnly ? 'read-only token' : 'token', address: clientAddress(context) }
}

const changes = (context: Context): boolean => !['GET', 'HEAD'].includes(context.req.method)

function unauthorized(context: Context, detail: string): ProblemError {
  context.header('www-authenticate', 'Bearer')
  return new ProblemError('unauthorized', detail)
}

/** The number of different wrong tokens per address and minute that are answered 401. More are answered 429. */
export const maxWrong = 10
/** Milliseconds for which the wrong tokens of an address are counted, from the first one. */
const period = 60_000
/** The maximum number of addresses to count for. A further address replaces the one that was added first. */
const maxAddresses = 1000

interface Tries {
  until: number
  /** Digests of the wrong tokens. */
  digests: Set<string>
}

/**
 * Counts different wrong tokens by address. A repeated token counts once, because a client that repeats an outdated
 * token is not guessing. Times are in milliseconds of a monotonic clock.
 */
export class WrongTokens {
  readonly #byAddress = new Map<string, Tries>()

  /** The number of addresses that are counted now. */
  get size(): number {
    return this.#byAddress.size
  }

  /** Milliseconds for which wrong tokens from the address are answered 429. 0 if they are answered 401. */
  wait(address: string, now: number): number {
    const tries = this.#byAddress.get(networkOf(address))
    return tries && tries.digests.size >= maxWrong ? Math.max(0, tries.until - now) : 0
  }

  add(address: string, token: string, now: number): void {
    const network = networkOf(address)
    let tries = this.#byAddress.get(network)
    if (!tries || tries.until <= now) {
      this.#byAddress.delete(network) // set() then appends the address, so the map stays in the order of `until`
      this.#makeRoom(now)
      tries = { until: now + period, digests: new Set() }
      this.#byAddress.set(network, tries)
    }
    tries.digests.add(createHash('sha256').update(token).digest('base64url'))
  }

  #makeRoom(now: number): void {
    for (const [network, { until }] of this.#byAddress) {
      if (until > now && this.#byAddress.size < maxAddresses) return
      this.#byAddress.delete(network)
    }
  }
}

/**
 * The /64 network of an IPv6 address, because a client usually has the whole network. For an IPv4 address, the whole
 * address. For a text that is not an address, the text.
 */
function networkOf(address: string): string {
  return parseAddress(address)?.slice(0, 2).join(':') ?? address
}

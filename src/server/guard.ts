import { isIP, isIPv6 } from 'node:net'
import type { Context, MiddlewareHandler } from 'hono'
import { clientAddress } from './client-address.ts'
import { isLoopback } from './listener.ts'
import { problem } from './problem.ts'
import { type RevocationStore, RevokedSessions } from './revoked-sessions.ts'
import { deleteSessionCookie, sessionCookies, setSessionCookie } from './session-cookies.ts'
import { Sessions, type Tokens, type Visitor } from './sessions.ts'
import { mostWrong, WrongTokens } from './wrong-tokens.ts'

export interface GuardOptions {
  tokens: Tokens
  /** Keeps the sessions that were logged out. */
  inbox: RevocationStore
  /** Where it listens. */
  host: string
  /** How browsers reach it, if by another address. */
  url?: string | undefined
}

/**
 * Lets in who holds a token, and keeps out what other pages have a browser ask for: the name it was asked under must
 * be ours, so that no other name can be made to point here (DNS rebinding), and where a browser says which page asks,
 * it must be one of ours.
 */
export class Guard {
  readonly #sessions: Sessions
  readonly #own: URL | undefined
  readonly #host: string | undefined
  readonly #wrong = new WrongTokens()

  constructor({ tokens, inbox, host, url }: GuardOptions) {
    this.#sessions = new Sessions(tokens, new RevokedSessions(inbox))
    const everywhere = ['0.0.0.0', '::'].includes(host)
    this.#host = everywhere ? undefined : nameOf(isIPv6(host) ? `[${host}]` : host)
    this.#own = url === undefined ? undefined : new URL(url)
  }

  /** Of every request, with a token or not. */
  readonly sameSite: MiddlewareHandler = (context, next) => this.#keepOut(context, next, false)

  /** Of the page itself, to which others may link; none may show it within itself. */
  readonly page: MiddlewareHandler = async (context, next) => {
    const [mode, destination] = [context.req.header('sec-fetch-mode'), context.req.header('sec-fetch-dest')]
    if (mode !== 'navigate' || destination !== 'document') return this.sameSite(context, next)
    if (!this.#isOurName(context, false)) return problem(context, 'forbidden_host', howToName)
    await next()
  }

  /** Of what needs no token: a probe asks by an address, which is no name that could be made to point elsewhere. */
  readonly sameSiteOrAddress: MiddlewareHandler = (context, next) => this.#keepOut(context, next, true)

  /** Of all that shows or changes something. */
  readonly authorized: MiddlewareHandler = async (context, next) => {
    const bearer = /^Bearer +(\S+) *$/i.exec(context.req.header('authorization') ?? '')?.[1]
    const visitor = bearer === undefined ? await this.#checkSession(context) : this.#check(context, bearer)
    if (visitor instanceof Response) return visitor
    context.set(visitorKey, visitor)
    await next()
  }

  /** Of what changes something, after `authorized`. To ask is no change. */
  readonly mayAct: MiddlewareHandler = async (context, next) => {
    if (this.visitorOf(context).readOnly && changes(context)) return problem(context, 'read_only', howToAct)
    await next()
  }

  /** Who was let in by `authorized`, and how far. */
  visitorOf(context: Context): Visitor {
    return context.get(visitorKey) as Visitor
  }

  /** Whether a visitor may stay: a session ends when it is logged out, or when it expires; a token does not. */
  async isStillIn(context: Context): Promise<boolean> {
    return this.visitorOf(context).expiresAt === undefined || (await this.#session(context)) !== undefined
  }

  /** Identifies the session of a request, or the address if it came with a token. */
  sessionOf(context: Context): string {
    return (context.get(cookieKey) as string | undefined) ?? `token ${clientAddress(context)}`
  }

  /** Exchanges a token for a cookie, which no script can read and no other site can use. */
  login(context: Context, token: string): Response {
    const visitor = this.#check(context, token)
    if (visitor instanceof Response) return visitor
    setSessionCookie(context, this.#sessions.begin(visitor), this.#ownOf(context))
    return context.body(null, 204)
  }

  /** Takes the cookie back, and rejects it from now on. @throws if the inbox cannot keep that: the session goes on. */
  async logout(context: Context): Promise<Response> {
    for (const cookie of sessionCookies(context)) await this.#sessions.end(cookie)
    deleteSessionCookie(context, this.#ownOf(context))
    return context.body(null, 204)
  }

  /** The address of `--admin-url`, if the request came by it. A proxy may hand on the name that it was asked under, or not. */
  #ownOf(context: Context): URL | undefined {
    const isOwn = hostOf(context) === this.#own?.host || context.req.header('origin') === this.#own?.origin
    return isOwn ? this.#own : undefined
  }

  async #keepOut(context: Context, next: () => Promise<void>, orAddress: boolean): Promise<Response | void> {
    if (!this.#isOurName(context, orAddress)) return problem(context, 'forbidden_host', howToName)
    const origin = context.req.header('origin')
    const foreign = origin !== undefined && !this.#isOurOrigin(context, origin)
    const crossSite = !['same-origin', 'none', undefined].includes(context.req.header('sec-fetch-site'))
    if (foreign || crossSite) return problem(context, 'forbidden_page', 'Another page may not ask for this')
    await next()
  }

  /**
   * A right token is never refused: several clients may share an address, as behind a proxy that is not trusted, and one
   * of them must not lock out the others. A token's length keeps it from being guessed, and not the limit.
   */
  #check(context: Context, given: string): Visitor | Response {
    const visitor = this.#sessions.visitorWith(given)
    if (visitor) return visitor
    const [address, now] = [clientAddress(context) ?? '', performance.now()]
    const wait = this.#wrong.wait(address, now)
    if (wait > 0) {
      context.header('retry-after', String(Math.ceil(wait / 1000)))
      return problem(
        context,
        'too_many_tries',
        `${mostWrong} wrong tokens from this address within a minute: give the right one, or wait`,
      )
    }
    this.#wrong.add(address, given, now)
    return unauthorized(context, 'That is not the token')
  }

  /** Pages of other servers of this machine can set cookies of our name: one that is ours counts, whichever it is. */
  async #session(context: Context): Promise<{ visitor: Visitor; cookie: string } | undefined> {
    for (const cookie of sessionCookies(context)) {
      const visitor = await this.#sessions.visitorOf(cookie)
      if (visitor) return { visitor, cookie }
    }
    return undefined
  }

  async #checkSession(context: Context): Promise<Visitor | Response> {
    const { visitor, cookie } = (await this.#session(context)) ?? {}
    if (!visitor) return unauthorized(context, 'Give the token: Authorization: Bearer …')
    context.set(cookieKey, cookie)
    // Cookies know no ports: a page of another server on this machine has ours sent, too. A browser that changes
    // something says which page asks, and what it says has been found to be ours.
    const said = context.req.header('origin') ?? context.req.header('sec-fetch-site')
    if (!changes(context) || (said !== undefined && said !== 'none')) return visitor
    return problem(context, 'forbidden_page', 'A cookie is for pages of this server: a script gives the token')
  }

  #isOurName(context: Context, orAddress: boolean): boolean {
    const name = nameOf(hostOf(context))
    return name !== undefined && (this.#isOurs(context, name) || (orAddress && isAddress(name)))
  }

  #isOurs(context: Context, name: string): boolean {
    return isLoopback(name) || name === this.#host || hostOf(context) === this.#own?.host
  }

  #isOurOrigin(context: Context, origin: string): boolean {
    const host = hostOf(context)
    return origin === this.#own?.origin || (host !== this.#own?.host && origin === `http://${host}`)
  }
}

const howToName = 'Ask for it by a name of this machine (localhost), or start it with --admin-url'
const howToAct = 'This token lets you look, and change nothing: that takes the admin token (--admin-token)'

/** Under these names `authorized` keeps the visitor of a request, and the cookie of its session. */
const [visitorKey, cookieKey] = ['visitor', 'sessionCookie']

const changes = (context: Context): boolean => !['GET', 'HEAD'].includes(context.req.method)

function unauthorized(context: Context, detail: string): Response {
  context.header('www-authenticate', 'Bearer')
  return problem(context, 'unauthorized', detail)
}

const hostOf = (context: Context): string => (context.req.header('host') ?? '').toLowerCase()

/** Of a `Host`, without its port, as URLs have it: in small letters, IPv6 in brackets and in its short form. */
function nameOf(host: string): string | undefined {
  const [, name] = /^(\[[\da-f:.]+\]|[\w.-]+)(?::\d+)?$/i.exec(host) ?? []
  return name === undefined ? undefined : URL.parse(`http://${name}`)?.hostname
}

const isAddress = (name: string): boolean => isIP(name.replace(/^\[|\]$/g, '')) !== 0

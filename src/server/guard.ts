import { isIP, isIPv6 } from 'node:net'
import type { Context, MiddlewareHandler } from 'hono'
import { deleteCookie, setCookie } from 'hono/cookie'
import type { CookieOptions } from 'hono/utils/cookie'
import { clientAddress } from './client-address.ts'
import { isLoopback } from './listener.ts'
import { problem } from './problem.ts'
import { Sessions, sessionAge, type Tokens, type Visitor } from './sessions.ts'
import { mostWrong, WrongTokens } from './wrong-tokens.ts'

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

  /** @param host Where it listens. @param url How browsers reach it, where that is another. */
  constructor(tokens: Tokens, host: string, url: string | undefined) {
    this.#sessions = new Sessions(tokens)
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
    const visitor = bearer === undefined ? this.#checkSession(context) : this.#check(context, bearer)
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

  /** Whether somebody who was let in may stay: a session ends when it is logged out, or when it is too old. */
  isStillIn(context: Context): boolean {
    return this.visitorOf(context).expiresAt === undefined || this.#session(context) !== undefined
  }

  /** Identifies the session of a request, or the address if it came with a token. */
  sessionOf(context: Context): string {
    const isToken = this.visitorOf(context).expiresAt === undefined
    return (isToken ? undefined : this.#session(context)?.cookie) ?? `token ${clientAddress(context)}`
  }

  /** Exchanges a token for a cookie, which no script can read and no other site can use. */
  login(context: Context, token: string): Response {
    const visitor = this.#check(context, token)
    if (visitor instanceof Response) return visitor
    const cookie = this.#sessions.begin(visitor)
    setCookie(context, cookieName(context), cookie, { ...this.#cookieScope(context), maxAge: sessionAge })
    return context.body(null, 204)
  }

  /** Takes the cookie back, and lets nobody in by it any more who has kept it. */
  logout(context: Context): Response {
    for (const cookie of cookiesOf(context)) this.#sessions.end(cookie)
    deleteCookie(context, cookieName(context), this.#cookieScope(context))
    return context.body(null, 204)
  }

  #cookieScope(context: Context): CookieOptions {
    const own = this.#own && this.#isAskedAsOwn(context) ? this.#own : undefined
    return {
      httpOnly: true,
      sameSite: 'Strict',
      secure: own?.protocol === 'https:',
      path: `${own?.pathname.replace(/\/+$/, '') ?? ''}/api`, // the page itself has no use for it
    }
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
  #session(context: Context): { visitor: Visitor; cookie: string } | undefined {
    for (const cookie of cookiesOf(context)) {
      const visitor = this.#sessions.visitorOf(cookie)
      if (visitor) return { visitor, cookie }
    }
    return undefined
  }

  #checkSession(context: Context): Visitor | Response {
    const visitor = this.#session(context)?.visitor
    if (!visitor) return unauthorized(context, 'Give the token: Authorization: Bearer …')
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

  /** A proxy in front may hand on the name that it was asked under, or not. */
  #isAskedAsOwn(context: Context): boolean {
    return hostOf(context) === this.#own?.host || context.req.header('origin') === this.#own?.origin
  }

  #isOurOrigin(context: Context, origin: string): boolean {
    const host = hostOf(context)
    return origin === this.#own?.origin || (host !== this.#own?.host && origin === `http://${host}`)
  }
}

const howToName = 'Ask for it by a name of this machine (localhost), or start it with --admin-url'
const howToAct = 'This token lets you look, and change nothing: that takes the admin token (--admin-token)'

/** What `authorized` leaves with a request. */
const visitorKey = 'visitor'

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

/** One for each port, so that two servers on a machine do not take each other's place. */
const cookieName = (context: Context): string => `hookserver-${/:(\d+)$/.exec(hostOf(context))?.[1] ?? 'http'}`

/** All of that name: those of a longer path come first. No more than a browser keeps are looked at. */
function cookiesOf(context: Context): string[] {
  const name = `${cookieName(context)}=`
  const pairs = (context.req.header('cookie') ?? '').split(';', 200).map((pair) => pair.trim())
  return pairs.filter((pair) => pair.startsWith(name)).map((pair) => pair.slice(name.length))
}

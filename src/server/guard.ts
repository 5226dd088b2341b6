import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { Context, MiddlewareHandler } from 'hono'
import { getCookie, setCookie } from 'hono/cookie'
import { isLoopback } from './listener.ts'

/** The cookie lets a browser in for so long, in seconds. */
const sessionAge = 7 * 24 * 60 * 60
const cookieName = 'hookserver'
/** Wrong tokens an address may try in a minute. */
const mostWrong = 10

/**
 * Lets in who holds the token, and keeps out what other pages have a browser ask for: the name it was asked under must
 * be ours, so that no other name can be made to point here (DNS rebinding), and where a browser says which page asks,
 * it must be one of ours.
 */
export class Guard {
  readonly #token: string
  readonly #own: URL | undefined
  readonly #host: string
  #wrong = new Map<string, number>()
  #countedFrom = 0

  /** @param host Where it listens. @param url How browsers reach it, where that is another. */
  constructor(token: string, host: string, url: string | undefined) {
    this.#token = token
    this.#host = host
    this.#own = url === undefined ? undefined : new URL(url)
  }

  /** Of every request, with a token or not. */
  readonly sameSite: MiddlewareHandler = async (context, next) => {
    const host = context.req.header('host') ?? ''
    if (!this.#isOurs(host)) return problem(context, 403, 'forbidden_host', howToName)
    const origin = context.req.header('origin')
    const foreign = origin !== undefined && !this.#isOurOrigin(origin, host)
    const crossSite = !['same-origin', 'none', undefined].includes(context.req.header('sec-fetch-site'))
    if (foreign || crossSite) return problem(context, 403, 'forbidden_page', 'Another page may not ask for this')
    await next()
  }

  /** Of all that shows or changes something. */
  readonly authorized: MiddlewareHandler = async (context, next) => {
    const bearer = /^Bearer (.+)$/i.exec(context.req.header('authorization') ?? '')?.[1]
    if (bearer !== undefined) {
      const refused = this.#check(context, bearer)
      if (refused) return refused
    } else if (!this.#isSession(getCookie(context, cookieName))) {
      return problem(context, 401, 'unauthorized', 'Give the token: Authorization: Bearer …')
    }
    await next()
  }

  /** Exchanges the token for a cookie, which no script can read and no other site can use. */
  login(context: Context, token: unknown): Response {
    const refused = this.#check(context, typeof token === 'string' ? token : '')
    if (refused) return refused
    const secure = this.#own?.protocol === 'https:'
    setCookie(context, cookieName, this.#session(Date.now() + sessionAge * 1000), {
      ...{ httpOnly: true, sameSite: 'Strict', path: '/', maxAge: sessionAge, secure },
    })
    return context.body(null, 204)
  }

  #check(context: Context, given: string): Response | undefined {
    const address = (context.env as { incoming?: { socket: { remoteAddress?: string } } }).incoming?.socket
      .remoteAddress
    if (this.#tries(address ?? '') >= mostWrong) {
      context.header('retry-after', '60')
      return problem(context, 429, 'too_many_tries', `${mostWrong} wrong tokens in a minute: wait for the next`)
    }
    if (isEqual(given, this.#token)) return undefined
    this.#wrong.set(address ?? '', this.#tries(address ?? '') + 1)
    return problem(context, 401, 'unauthorized', 'That is not the token')
  }

  #tries(address: string): number {
    if (Date.now() - this.#countedFrom > 60_000) {
      this.#wrong = new Map()
      this.#countedFrom = Date.now()
    }
    return this.#wrong.get(address) ?? 0
  }

  #isOurs(host: string): boolean {
    const name = host.replace(/:\d+$/, '')
    if (this.#own && host === this.#own.host) return true
    return isLoopback(name) || (name === this.#host && !['0.0.0.0', '::'].includes(name))
  }

  #isOurOrigin(origin: string, host: string): boolean {
    return origin === this.#own?.origin || origin === `http://${host}`
  }

  /** Nothing to be kept: its end, and that it is ours. */
  #session(end: number): string {
    return `${end}.${createHmac('sha256', this.#token).update(`session ${end}`).digest('base64url')}`
  }

  #isSession(cookie: string | undefined): boolean {
    const end = Number(cookie?.split('.', 1)[0])
    return cookie !== undefined && end > Date.now() && isEqual(cookie, this.#session(end))
  }
}

const howToName = 'Ask for it by a name of this machine (localhost), or start it with --admin-url'

/** In constant time, whatever their lengths. */
function isEqual(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => createHash('sha256').update(text).digest())
  return timingSafeEqual(a as Buffer, b as Buffer)
}

/** RFC 9457, as refusals of deliveries are. */
export function problem(
  context: Context,
  status: 400 | 401 | 403 | 404 | 409 | 413 | 429 | 503,
  code: string,
  detail: string,
): Response {
  const title = code.replaceAll('_', ' ')
  return context.body(JSON.stringify({ status, title, detail, code }), status, {
    'content-type': 'application/problem+json',
  })
}

import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Context } from 'hono'
import { deleteCookie, setCookie } from 'hono/cookie'
import type { CookieOptions } from 'hono/utils/cookie'
import { type RevocationStore, RevokedSessions, type SessionId } from './revoked-sessions.ts'

/** Full-access and read-only tokens. */
export interface Tokens {
  token: string
  readOnlyToken?: string | undefined
}

/** The holder of a token or a session. */
export interface Visitor {
  readOnly: boolean
  /** When the session expires, in milliseconds since 1970. `undefined` for a token, which does not expire. */
  expiresAt?: number
}

/** The lifetime of a session, in seconds. */
export const sessionAge: number = 7 * 24 * 60 * 60

/**
 * Sessions of browsers. A client exchanges a token for a cookie, which contains the role and the expiry, signed (HMAC)
 * with this token. So a session also ends if the operator changes the token. Only revoked sessions are stored, until
 * they expire.
 */
export class Sessions {
  readonly #tokens: Tokens
  readonly #revoked: RevokedSessions
  readonly #revokedOfReaders: RevokedSessions

  constructor(tokens: Tokens, store: RevocationStore) {
    this.#tokens = tokens
    this.#revoked = new RevokedSessions(store, 'revoked sessions')
    this.#revokedOfReaders = new RevokedSessions(store, 'revoked read-only sessions')
  }

  /** The holder of the token. `undefined` if the token is wrong. */
  visitorWith(token: string): Visitor | undefined {
    const { token: adminToken, readOnlyToken } = this.#tokens
    const [isAdmin, isReader] = [isEqual(token, adminToken), isEqual(token, readOnlyToken ?? adminToken)]
    return isAdmin || isReader ? { readOnly: !isAdmin } : undefined
  }

  /** Returns the cookie of a new session. */
  begin({ readOnly }: Visitor, now: number = Date.now()): string {
    return this.#signed(readOnly, now + sessionAge * 1000, randomBytes(12).toString('base64url'))
  }

  /**
   * The holder of the cookie. `undefined` if the cookie is not ours, has expired or was revoked.
   * @throws if the inbox does not answer.
   */
  async visitorOf(cookie: string | undefined, now: number = Date.now()): Promise<Visitor | undefined> {
    const session = this.#verified(cookie, now)
    if (!session || (await this.#revokedLike(session).has(session, sessionAge * 1000, now))) return undefined
    return { readOnly: session.readOnly, expiresAt: session.end }
  }

  /** Revokes the session of a cookie, if the cookie is valid. @throws if the inbox cannot store the revocation. */
  async end(cookie: string | undefined, now: number = Date.now()): Promise<void> {
    const session = this.#verified(cookie, now)
    if (session) await this.#revokedLike(session).add({ nonce: session.nonce, end: session.end }, now)
  }

  /**
   * Each role has its own list of revoked sessions, because a full list revokes all sessions of its role. So logouts of
   * read-only visitors cannot end the sessions of operators.
   */
  #revokedLike({ readOnly }: Visitor): RevokedSessions {
    return readOnly ? this.#revokedOfReaders : this.#revoked
  }

  /** Checks the signature and the expiry, but not the revocation. */
  #verified(cookie: string | undefined, now: number): (SessionId & { readOnly: boolean }) | undefined {
    const [role, until, nonce = ''] = (cookie ?? '').split('.', 3)
    const [end, readOnly] = [Number(until), role === 'read']
    if (!(end > now) || (readOnly && this.#tokens.readOnlyToken === undefined)) return undefined
    return isEqual(cookie ?? '', this.#signed(readOnly, end, nonce)) ? { readOnly, end, nonce } : undefined
  }

  #signed(readOnly: boolean, end: number, nonce: string): string {
    const { token, readOnlyToken = '' } = this.#tokens
    const content = `${readOnly ? 'read' : 'act'}.${end}.${nonce}`
    const mac = createHmac('sha256', readOnly ? readOnlyToken : token).update(`session ${content}`)
    return `${content}.${mac.digest('base64url')}`
  }
}

/** Compares two texts of any length in constant time. */
function isEqual(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => createHash('sha256').update(text).digest())
  return timingSafeEqual(a as Buffer, b as Buffer)
}

/** @param adminUrl The URL of `--admin-url`, if the request used it. */
export function setSessionCookie(context: Context, cookie: string, adminUrl: URL | undefined): void {
  setCookie(context, cookieName(context), cookie, { ...scopeOf(adminUrl), maxAge: sessionAge })
}

export function deleteSessionCookie(context: Context, adminUrl: URL | undefined): void {
  deleteCookie(context, cookieName(context), scopeOf(adminUrl))
}

/** The values of all cookies with our name. Reads at most 200 cookies of the request. */
export function sessionCookies(context: Context): string[] {
  const name = `${cookieName(context)}=`
  const pairs = (context.req.header('cookie') ?? '').split(';', 200).map((pair) => pair.trim())
  return pairs.filter((pair) => pair.startsWith(name)).map((pair) => pair.slice(name.length))
}

/** Contains the port, so that two servers on one machine do not overwrite each other's cookies. */
const cookieName = (context: Context): string =>
  `hookserver-${/:(\d+)$/.exec(context.req.header('host') ?? '')?.[1] ?? 'http'}`

/** Scripts cannot read the cookie, and other sites cannot use it. */
const scopeOf = (adminUrl: URL | undefined): CookieOptions => ({
  httpOnly: true,
  sameSite: 'Strict',
  secure: adminUrl?.protocol === 'https:',
  path: `${adminUrl?.pathname.replace(/\/+$/, '') ?? ''}/api`, // the page itself needs no cookie
})

import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { RevokedSessions, SessionId } from './revoked-sessions.ts'

/** What lets in: to all, and to a look alone. */
export interface Tokens {
  token: string
  readOnlyToken?: string | undefined
}

/** Who was let in, and how far. */
export interface Visitor {
  /** Whether it may only look. */
  readOnly: boolean
  /** When its cookie ends, in milliseconds since 1970; a token has no end. */
  expiresAt?: number
}

/** A cookie lets a browser in for so long, in seconds. */
export const sessionAge: number = 7 * 24 * 60 * 60

/**
 * Sessions of browsers. None is stored: a cookie holds its role and its end, signed (HMAC) with the token that it was
 * exchanged for, so that a new token ends it. Only those that were logged out are kept, until they expire.
 */
export class Sessions {
  readonly #tokens: Tokens
  readonly #revoked: RevokedSessions

  constructor(tokens: Tokens, revoked: RevokedSessions) {
    this.#tokens = tokens
    this.#revoked = revoked
  }

  /** Who holds the token; `undefined` if it is none of ours. */
  visitorWith(token: string): Visitor | undefined {
    const { token: operators, readOnlyToken } = this.#tokens
    const [isOperators, isReaders] = [isEqual(token, operators), isEqual(token, readOnlyToken ?? operators)]
    return isOperators || isReaders ? { readOnly: !isOperators } : undefined
  }

  /** The cookie of a new one. */
  begin({ readOnly }: Visitor, now: number = Date.now()): string {
    return this.#signed(readOnly, now + sessionAge * 1000, randomBytes(12).toString('base64url'))
  }

  /**
   * Who has the cookie; `undefined` if this server did not make it, if it has expired, or if it was logged out.
   * @throws if the inbox cannot tell whether it was.
   */
  async visitorOf(cookie: string | undefined, now: number = Date.now()): Promise<Visitor | undefined> {
    const session = this.#verified(cookie, now)
    if (!session || (await this.#revoked.has(session, sessionAge * 1000, now))) return undefined
    return { readOnly: session.readOnly, expiresAt: session.end }
  }

  /** Ends it before it expires. @throws if that cannot be kept. */
  async end(cookie: string | undefined, now: number = Date.now()): Promise<void> {
    const session = this.#verified(cookie, now)
    if (session) await this.#revoked.add({ nonce: session.nonce, end: session.end }, now)
  }

  /** Without asking whether it was logged out. */
  #verified(cookie: string | undefined, now: number): (SessionId & { readOnly: boolean }) | undefined {
    const { role, end, nonce } = partsOf(cookie)
    const readOnly = role === 'read'
    if (!(end > now) || (readOnly && this.#tokens.readOnlyToken === undefined)) return undefined
    return isEqual(cookie ?? '', this.#signed(readOnly, end, nonce)) ? { readOnly, end, nonce } : undefined
  }

  #signed(readOnly: boolean, end: number, nonce: string): string {
    const { token, readOnlyToken = '' } = this.#tokens
    const said = `${readOnly ? 'read' : 'act'}.${end}.${nonce}`
    const mac = createHmac('sha256', readOnly ? readOnlyToken : token).update(`session ${said}`)
    return `${said}.${mac.digest('base64url')}`
  }
}

function partsOf(cookie = ''): { role: string; end: number; nonce: string } {
  const [role = '', end, nonce = ''] = cookie.split('.', 3)
  return { role, end: Number(end), nonce }
}

/** In constant time, whatever their lengths. */
function isEqual(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => createHash('sha256').update(text).digest())
  return timingSafeEqual(a as Buffer, b as Buffer)
}

import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

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

/** Sessions that were ended before their time and are remembered; with more, all that there are end. */
const mostEnded = 10_000

/**
 * Sessions of browsers. Nothing of them is kept: a cookie says how far it lets in and until when, and the token that it
 * was got with vouches for that (HMAC), so that it ends at once when that token is changed. Only those that were logged
 * out are remembered until their end, in this process.
 */
export class Sessions {
  readonly #tokens: Tokens
  /** The nonces of those that were logged out, and their ends. */
  readonly #ended = new Map<string, number>()
  /** Those that began before it have ended, too. */
  #since = 0

  constructor(tokens: Tokens) {
    this.#tokens = tokens
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

  /** Who has the cookie; `undefined` if we did not give it, or if it has ended. */
  visitorOf(cookie: string | undefined, now: number = Date.now()): Visitor | undefined {
    const { role, end, nonce } = partsOf(cookie)
    const readOnly = role === 'read'
    if (!(end > now) || end - sessionAge * 1000 < this.#since || this.#ended.has(nonce)) return undefined
    if (readOnly && this.#tokens.readOnlyToken === undefined) return undefined
    return isEqual(cookie ?? '', this.#signed(readOnly, end, nonce)) ? { readOnly, expiresAt: end } : undefined
  }

  /** Ends it before its time. */
  end(cookie: string | undefined, now: number = Date.now()): void {
    if (!this.visitorOf(cookie, now)) return // of which there would be no end
    for (const [nonce, end] of this.#ended) if (end <= now) this.#ended.delete(nonce)
    if (this.#ended.size >= mostEnded) {
      this.#ended.clear()
      this.#since = now + 1
    }
    const { nonce, end } = partsOf(cookie)
    this.#ended.set(nonce, end)
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

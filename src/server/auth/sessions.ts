import { createHmac, randomBytes } from 'node:crypto'
import { areEqual } from './equal-texts.ts'
import { type RevocationStore, RevokedSessions, type SessionId } from './revoked-sessions.ts'

/** Full-access and read-only tokens. */
export interface Tokens {
  token: string
  readOnlyToken?: string | undefined
}

interface Keys extends Tokens {
  /** Signs the sessions of users of GitHub. `undefined` if they cannot log in. */
  githubKey?: string | undefined
}

/** The holder of a token or a session. */
export interface Visitor {
  readOnly: boolean
  /** The login of a user of GitHub. `undefined` for a token, and for a session that began with one. */
  person?: string
  /** When the session expires, in milliseconds since 1970. `undefined` for a token, which does not expire. */
  expiresAt?: number
}

/** The lifetime of a session that began with a token, in seconds. */
export const sessionAge: number = 7 * 24 * 60 * 60

/**
 * The lifetime of a session of a user of GitHub, in seconds. Short, because a user who leaves an organization keeps
 * access until the session expires.
 */
const githubSessionAge: number = 60 * 60

/** The lifetime of a session of the visitor, in seconds. */
export const ageOf = ({ person }: Visitor): number => (person === undefined ? sessionAge : githubSessionAge)

/** The roles of sessions in their cookies: those that began with a token, and those of users of GitHub. */
type Role = 'act' | 'read' | 'operator' | 'viewer'

/**
 * Sessions of browsers. A client exchanges a token for a cookie, which contains the role and the expiry, signed (HMAC)
 * with this token. The cookie of a user of GitHub also contains the login. So a session also ends if the operator
 * changes the token. Only revoked sessions are stored, until they expire.
 */
export class Sessions {
  readonly #tokens: Keys
  readonly #revoked: RevokedSessions
  readonly #revokedOfReaders: RevokedSessions

  constructor(tokens: Keys, store: RevocationStore) {
    this.#tokens = tokens
    this.#revoked = new RevokedSessions(store, 'revoked sessions')
    this.#revokedOfReaders = new RevokedSessions(store, 'revoked read-only sessions')
  }

  /** The holder of the token. `undefined` if the token is wrong. */
  visitorWith(token: string): Visitor | undefined {
    const { token: adminToken, readOnlyToken } = this.#tokens
    const [isAdmin, isReader] = [areEqual(token, adminToken), areEqual(token, readOnlyToken ?? adminToken)]
    return isAdmin || isReader ? { readOnly: !isAdmin } : undefined
  }

  /** Returns the cookie of a new session. */
  begin(visitor: Visitor, now: number = Date.now()): string {
    const { readOnly, person } = visitor
    const role = person === undefined ? (readOnly ? 'read' : 'act') : readOnly ? 'viewer' : 'operator'
    const [end, nonce] = [now + ageOf(visitor) * 1000, randomBytes(12).toString('base64url')]
    const cookie = this.#signed(role, { end, nonce, person })
    if (cookie === undefined) throw new Error(`No key signs sessions of the role ${role}`)
    return cookie
  }

  /**
   * The holder of the cookie. `undefined` if the cookie is not ours, has expired or was revoked.
   * @throws if the inbox does not answer.
   */
  async visitorOf(cookie: string | undefined, now: number = Date.now()): Promise<Visitor | undefined> {
    const session = this.#verified(cookie, now)
    if (!session || (await this.#revokedLike(session).has(session, ageOf(session) * 1000, now))) return undefined
    const { readOnly, end: expiresAt, person } = session
    return { readOnly, expiresAt, ...(person !== undefined && { person }) }
  }

  /**
   * Revokes the session of a cookie, if the cookie is valid.
   * @returns whether the session was not revoked before.
   * @throws if the inbox cannot store the revocation.
   */
  async end(cookie: string | undefined, now: number = Date.now()): Promise<boolean> {
    const session = this.#verified(cookie, now)
    return session !== undefined && this.#revokedLike(session).add({ nonce: session.nonce, end: session.end }, now)
  }

  /**
   * Each role has its own list of revoked sessions, because a full list revokes all sessions of its role. So logouts of
   * read-only visitors cannot end the sessions of operators.
   */
  #revokedLike({ readOnly }: Visitor): RevokedSessions {
    return readOnly ? this.#revokedOfReaders : this.#revoked
  }

  /** Checks the signature and the expiry, but not the revocation. */
  #verified(cookie: string | undefined, now: number): (SessionId & Visitor) | undefined {
    const [role = '', until, nonce = '', login] = (cookie ?? '').split('.', 4)
    const end = Number(until)
    if (!(end > now) || !isRole(role)) return undefined
    const ofGitHub = role === 'operator' || role === 'viewer'
    const person = ofGitHub ? login : undefined
    const signed = this.#signed(role, { end, nonce, person })
    if (signed === undefined || !areEqual(cookie ?? '', signed)) return undefined
    return { readOnly: role === 'read' || role === 'viewer', end, nonce, ...(person !== undefined && { person }) }
  }

  /** @returns `undefined` if there are no sessions of this role. */
  #signed(role: Role, { end, nonce, person }: SessionId & { person: string | undefined }): string | undefined {
    const { token, readOnlyToken, githubKey } = this.#tokens
    const key = { act: token, read: readOnlyToken, operator: githubKey, viewer: githubKey }[role]
    if (key === undefined) return undefined
    const content = [role, end, nonce, ...(person === undefined ? [] : [person])].join('.')
    const mac = createHmac('sha256', key).update(`session ${content}`)
    return `${content}.${mac.digest('base64url')}`
  }
}

const isRole = (text: string): text is Role => ['act', 'read', 'operator', 'viewer'].includes(text)

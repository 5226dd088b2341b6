import type { Inbox } from '../inbox/inbox.ts'

/** A session as its cookie names it. */
export interface SessionId {
  nonce: string
  /** When it expires, in milliseconds since 1970. */
  end: number
}

/** The key-value table that all processes of an inbox share. */
export type RevocationStore = Pick<Inbox, 'getValue' | 'compareAndSet'>

/** The value, as JSON. */
interface Kept {
  /** Sessions that began before this time are revoked, too. In milliseconds since 1970. */
  since: number
  ended: SessionId[]
}

const key = 'revoked sessions'

/** Sessions that are kept. One more revokes all sessions there are, so that the list stays short. */
const maxKept = 10_000

/** Milliseconds after which a logout at another server counts here, at the latest. */
const maxAge = 5000

/**
 * The sessions that were logged out before they expired. They are kept in the inbox until then: a restart revives none
 * of them, and a logout at one server counts at all servers of the inbox.
 */
export class RevokedSessions {
  readonly #store: RevocationStore
  /** All that was read or written so far. Only grows until sessions expire, so a slow read cannot revive one. */
  readonly #ends = new Map<string, number>()
  #since = 0
  #readAt = Number.NEGATIVE_INFINITY
  #reading: Promise<void> | undefined

  constructor(store: RevocationStore) {
    this.#store = store
  }

  /** @param lifetime How long a session lasts, in milliseconds. @throws if the inbox does not answer. */
  async has({ nonce, end }: SessionId, lifetime: number, now: number): Promise<boolean> {
    if (Math.abs(now - this.#readAt) >= maxAge) await this.#readOnce(now)
    return this.#ends.has(nonce) || end - lifetime < this.#since
  }

  /** Resolves once the revocation is kept. @throws if it could not be: the session goes on then. */
  async add(session: SessionId, now: number): Promise<void> {
    for (;;) {
      const text = await this.#store.getValue(key)
      const kept = withSession(parse(text), session, now)
      // Another server may have added one since: then its list is read, and this session is added to that.
      if (await this.#store.compareAndSet(key, text, JSON.stringify(kept))) return this.#take(kept, now)
    }
  }

  /** One read for all requests that wait for it. */
  #readOnce(now: number): Promise<void> {
    this.#reading ??= this.#read(now).finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  async #read(now: number): Promise<void> {
    this.#take(parse(await this.#store.getValue(key)), now)
    this.#readAt = now // when the read began: later revocations may be missing
  }

  #take({ since, ended }: Kept, now: number): void {
    this.#since = Math.max(this.#since, since)
    for (const [nonce, end] of this.#ends) if (end <= now) this.#ends.delete(nonce)
    for (const { nonce, end } of ended) if (end > now) this.#ends.set(nonce, end)
  }
}

const parse = (text: string | undefined): Kept =>
  text === undefined ? { since: 0, ended: [] } : (JSON.parse(text) as Kept)

function withSession({ since, ended }: Kept, session: SessionId, now: number): Kept {
  const others = ended.filter(({ nonce, end }) => end > now && nonce !== session.nonce)
  if (others.length < maxKept) return { since, ended: [...others, session] }
  return { since: now + 1, ended: [session] }
}

import type { KeyValues } from '../../inbox/inbox.ts'
import { Batcher, batcherLimits } from '../../runtime/batcher.ts'

/** Identifies a session in its cookie. */
export interface SessionId {
  nonce: string
  /** When the session expires, in milliseconds since 1970. */
  end: number
}

/** The key-value table, which all processes of the inbox share. */
export type RevocationStore = Pick<KeyValues, 'getValue' | 'compareAndSet'>

/** A logout. */
interface Revocation {
  session: SessionId
  /** Milliseconds since 1970. */
  now: number
}

/** The stored value, as JSON. */
interface Revocations {
  /** All sessions that began before this time are revoked. Milliseconds since 1970. */
  since: number
  ended: SessionId[]
}

/**
 * The maximum length of `ended`. If the list is full, the next logout starts a new list and sets `since` to the time of
 * the logout. All sessions that began before `since` are then revoked.
 */
const maxListed = 10_000

/** The maximum number of milliseconds until a logout on another server applies here. */
const maxAge = 5000

/** One write at a time: if two writes of this server ran at the same time, one of them would have to be repeated. */
const writeLimits = { ...batcherLimits, concurrency: 1 }

/**
 * Sessions that were logged out before they expired. The inbox stores them until they expire, so that a restart does
 * not revive them, and a logout on one server applies to all servers of the inbox.
 */
export class RevokedSessions {
  readonly #store: RevocationStore
  readonly #key: string
  /**
   * The expiry of each revoked session that was read or written, by nonce. An entry is removed only after its session
   * has expired, so that a slow read with an older list does not make a revoked session valid again.
   */
  readonly #ends = new Map<string, number>()
  readonly #writes: Batcher<Revocation, boolean>
  #since = 0
  #readAt = Number.NEGATIVE_INFINITY
  #reading: Promise<void> | undefined

  /** @param key The row of the key-value table that holds the list. */
  constructor(store: RevocationStore, key: string) {
    this.#store = store
    this.#key = key
    this.#writes = new Batcher({ commit: (batch) => this.#write(batch), weigh: () => 1, limits: writeLimits })
  }

  /**
   * Whether the session was revoked.
   * @param lifetime How long a session lasts, in milliseconds.
   * @throws if the list must be read, and the inbox does not answer.
   */
  async has({ nonce, end }: SessionId, lifetime: number, now: number): Promise<boolean> {
    if (Math.abs(now - this.#readAt) >= maxAge) await this.#readOnce(now)
    return this.#ends.has(nonce) || end - lifetime < this.#since
  }

  /**
   * Resolves when the revocation is stored.
   * @returns whether the session was not revoked before. Of several calls at the same time, one gets `true`.
   * @throws if it cannot be stored: the session then stays valid.
   */
  add(session: SessionId, now: number): Promise<boolean> {
    return this.#writes.add({ session, now })
  }

  /** Adds the sessions to the list. @returns whether each was not in the list before. */
  async #write(batch: readonly Revocation[]): Promise<boolean[]> {
    const sessions = new Map(batch.map(({ session }) => [session.nonce, session]))
    const now = Math.max(...batch.map((one) => one.now))
    for (;;) {
      const text = await this.#store.getValue(this.#key)
      const before = parse(text)
      const revocations = withSessions(before, sessions, now)
      // If another server has changed the list since the read, read it again, and add the sessions to the new list.
      if (await this.#store.compareAndSet(this.#key, text, JSON.stringify(revocations))) {
        this.#remember(revocations, now)
        const known = new Set(before.ended.map(({ nonce }) => nonce))
        return batch.map(({ session: { nonce } }) => {
          const isNew = !known.has(nonce)
          known.add(nonce)
          return isNew
        })
      }
    }
  }

  /** Shares one read among all requests that wait for it. */
  #readOnce(now: number): Promise<void> {
    this.#reading ??= this.#read(now).finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  async #read(now: number): Promise<void> {
    this.#remember(parse(await this.#store.getValue(this.#key)), now)
    this.#readAt = now // the time before the read, because the read may miss later revocations
  }

  #remember({ since, ended }: Revocations, now: number): void {
    this.#since = Math.max(this.#since, since)
    for (const [nonce, end] of this.#ends) if (end <= now) this.#ends.delete(nonce)
    for (const { nonce, end } of ended) if (end > now) this.#ends.set(nonce, end)
  }
}

const parse = (text: string | undefined): Revocations =>
  text === undefined ? { since: 0, ended: [] } : (JSON.parse(text) as Revocations)

/** @param sessions The sessions to add, by nonce. */
function withSessions(
  { since, ended }: Revocations,
  sessions: ReadonlyMap<string, SessionId>,
  now: number,
): Revocations {
  const others = ended.filter(({ nonce, end }) => end > now && !sessions.has(nonce))
  if (others.length + sessions.size <= maxListed) return { since, ended: [...others, ...sessions.values()] }
  return { since: now + 1, ended: [...sessions.values()] }
}

import type { Inbox } from '../inbox/inbox.ts'
import type { Attempt } from './delivery-log.ts'
import { overlap } from './sweep.ts'

interface Kept {
  at: number
  seen: readonly (readonly [id: number, deliveredAt: number])[]
}

/**
 * How far GitHub's log of a hook has been read: up to when, and which of the last attempts. What one came to is in the
 * log when it has ended, so that it may show up behind others that were begun later.
 */
export class Position {
  readonly #inbox: Inbox
  readonly #name: string
  readonly #seen: Map<number, number>
  #at: number

  private constructor(inbox: Inbox, name: string, { at, seen }: Kept) {
    this.#inbox = inbox
    this.#name = name
    this.#at = at
    this.#seen = new Map(seen)
  }

  /** The one that the inbox has kept for a log. */
  static async recall(inbox: Inbox, path: string): Promise<Position> {
    const name = `position in ${path}`
    const text = await inbox.getValue(name)
    return new Position(inbox, name, text === undefined ? { at: 0, seen: [] } : (JSON.parse(text) as Kept))
  }

  /** From when on the log is looked at, in milliseconds since 1970. */
  get from(): number {
    return this.#at - overlap
  }

  has({ id }: Attempt): boolean {
    return this.#seen.has(id)
  }

  /** Goes on behind an attempt. */
  pass({ id, deliveredAt }: Attempt): void {
    this.#seen.set(id, deliveredAt)
    this.#at = Math.max(this.#at, deliveredAt)
  }

  async keep(): Promise<void> {
    for (const [id, deliveredAt] of this.#seen) if (deliveredAt < this.from) this.#seen.delete(id)
    await this.#inbox.setValue(this.#name, JSON.stringify({ at: this.#at, seen: [...this.#seen] } satisfies Kept))
  }
}

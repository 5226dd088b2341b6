import type { Inbox } from '../../inbox/inbox.ts'
import { type LoggedAttempt, settlingTime } from '../delivery-log.ts'

interface StoredCursor {
  at: number
  seen: readonly (readonly [id: number, deliveredAt: number])[]
}

/**
 * How far polling has read GitHub's log of a webhook: the time of the newest attempt, and the ids of those within the
 * settling time before it, because others may still appear between them.
 */
export class LogCursor {
  readonly #inbox: Inbox
  readonly #key: string
  readonly #seen: Map<number, number>
  #at: number

  private constructor(inbox: Inbox, key: string, { at, seen }: StoredCursor) {
    this.#inbox = inbox
    this.#key = key
    this.#at = at
    this.#seen = new Map(seen)
  }

  /** Loads the cursor from the inbox. @param path The path of the log. */
  static async load(inbox: Inbox, path: string): Promise<LogCursor> {
    const key = `polling cursor of ${path}`
    const text = await inbox.getValue(key)
    return new LogCursor(inbox, key, text === undefined ? { at: 0, seen: [] } : (JSON.parse(text) as StoredCursor))
  }

  /** From when on the log has to be read, in milliseconds since 1970. */
  get from(): number {
    return this.#at - settlingTime
  }

  has({ id }: LoggedAttempt): boolean {
    return this.#seen.has(id)
  }

  /** Adds an attempt that was imported or skipped. */
  add({ id, deliveredAt }: LoggedAttempt): void {
    this.#seen.set(id, deliveredAt)
    this.#at = Math.max(this.#at, deliveredAt)
  }

  async save(): Promise<void> {
    for (const [id, deliveredAt] of this.#seen) if (deliveredAt < this.from) this.#seen.delete(id)
    const stored: StoredCursor = { at: this.#at, seen: [...this.#seen] }
    await this.#inbox.setValue(this.#key, JSON.stringify(stored))
  }
}

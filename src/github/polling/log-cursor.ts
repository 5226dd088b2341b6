import type { Inbox } from '../../inbox/inbox.ts'
import { parseObject } from '../../runtime/json.ts'
import type { LoggedAttempt } from '../delivery-log.ts'
import { type LogPosition, type LogRange, nextRange, parsePosition } from '../log-position.ts'

/** The maximum number of redeliveries that a cursor remembers. GitHub keeps deliveries only for days, and few are redelivered. */
const maxSeen = 10_000

/**
 * How far polling has read GitHub's log of a webhook. It also has the ids of the redeliveries that were read, because a
 * redelivery must be stored only once, although a part of the log is read several times. First attempts need no such
 * memory: the inbox knows their GUIDs.
 */
export class LogCursor {
  readonly #inbox: Inbox
  readonly #key: string
  readonly #seen: Map<string, number>
  #position: LogPosition

  private constructor(inbox: Inbox, key: string, text: string | undefined) {
    this.#inbox = inbox
    this.#key = key
    this.#position = parsePosition(text)
    this.#seen = seenIn(text)
  }

  /** Loads the cursor from the inbox. @param path The path of the log. */
  static async load(inbox: Inbox, path: string): Promise<LogCursor> {
    const key = `polling cursor of ${path}`
    return new LogCursor(inbox, key, await inbox.getValue(key))
  }

  /** The part of the log to read next. Times are GitHub's, in milliseconds since 1970. */
  range(now: number, earliest: number): LogRange {
    return nextRange(this.#position, now, earliest)
  }

  /** Whether the attempt is a redelivery that was read before. */
  has({ id }: LoggedAttempt): boolean {
    return this.#seen.has(id)
  }

  /** Whether the cursor has not yet reached the time of this attempt. */
  isBefore({ deliveredAt }: LoggedAttempt): boolean {
    return deliveredAt > this.#position.at
  }

  /** Adds an attempt that was stored or skipped. */
  add({ id, redelivery, deliveredAt }: LoggedAttempt): void {
    if (redelivery) this.#seen.set(id, deliveredAt)
  }

  /** Moves the cursor to a position, once the log was read up to it. */
  moveTo(position: LogPosition): void {
    this.#position = position
  }

  /** @param earliest Attempts before this time are never read again. */
  async save(earliest: number): Promise<void> {
    const recent = [...this.#seen].filter(([, deliveredAt]) => deliveredAt >= earliest).slice(-maxSeen)
    await this.#inbox.setValue(this.#key, JSON.stringify({ ...this.#position, seen: recent }))
  }
}

/** The redeliveries in a stored cursor: pairs of id and time. An earlier version stored the ids as numbers. */
function seenIn(text: string | undefined): Map<string, number> {
  const { seen } = (text === undefined ? undefined : parseObject(text)) ?? {}
  const pairs = Array.isArray(seen) ? seen.filter((pair: unknown) => Array.isArray(pair)) : []
  return new Map(pairs.map(([id, deliveredAt]) => [String(id), Number(deliveredAt)]))
}

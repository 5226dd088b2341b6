import type { KeyValues } from '../../inbox/inbox.ts'
import { type Json, parseObject } from '../../runtime/json.ts'
import { isGuid, type LoggedAttempt } from '../delivery-log.ts'
import { type LogPosition, type LogRange, nextRange, parsePosition } from '../log-position.ts'

/** The maximum number of redeliveries that a cursor remembers. Few deliveries are redelivered while GitHub keeps them. */
const maxSeen = 10_000

/**
 * How far polling has read GitHub's log of a webhook. It also has the ids of the redeliveries that were read, because a
 * redelivery must be stored only once, although a part of the log is read several times. First attempts need no such
 * memory: the inbox knows their GUIDs, unless the log lists them without one.
 */
export class LogCursor {
  readonly #inbox: KeyValues
  readonly #key: string
  /** The times of attempts by id. */
  #seen: Map<string, number>
  /** Attempts before this time count as read. */
  #seenBefore: number
  #position: LogPosition

  private constructor(inbox: KeyValues, key: string, text: string | undefined) {
    this.#inbox = inbox
    this.#key = key
    this.#position = parsePosition(text)
    const stored = (text === undefined ? undefined : parseObject(text)) ?? {}
    this.#seen = seenIn(stored)
    this.#seenBefore = Number(stored.seenBefore) || 0
  }

  /** Loads the cursor from the inbox. @param path The path of the log. It may be the same for several namespaces. */
  static async load(inbox: KeyValues, namespace: string, path: string): Promise<LogCursor> {
    const key = `polling cursor of ${path} (${namespace})`
    return new LogCursor(inbox, key, await inbox.getValue(key))
  }

  /** The part of the log to read next. Times are GitHub's, in milliseconds since 1970. */
  range(now: number, earliest: number): LogRange {
    return nextRange(this.#position, now, earliest)
  }

  /** Whether the attempt was read before. Always false for attempts that the inbox knows by their GUID. */
  has(attempt: LoggedAttempt): boolean {
    return isRemembered(attempt) && (attempt.deliveredAt < this.#seenBefore || this.#seen.has(attempt.id))
  }

  /** Whether the cursor has not yet reached the time of this attempt. */
  isBefore({ deliveredAt }: LoggedAttempt): boolean {
    return deliveredAt > this.#position.at
  }

  /** Adds an attempt that was stored or skipped. */
  add(attempt: LoggedAttempt): void {
    if (isRemembered(attempt)) this.#seen.set(attempt.id, attempt.deliveredAt)
  }

  /** Moves the cursor to a position, once the log was read up to it. */
  moveTo(position: LogPosition): void {
    this.#position = position
  }

  /** @param earliest Attempts before this time are never read again. */
  async save(earliest: number): Promise<void> {
    const recent = [...this.#seen].filter(([, at]) => at >= earliest).sort(([, a], [, b]) => a - b)
    const kept = recent.slice(-maxSeen)
    if (kept.length < recent.length) this.#seenBefore = kept[0]?.[1] ?? 0
    this.#seen = new Map(kept)
    const stored = { ...this.#position, seenBefore: this.#seenBefore, seen: kept }
    await this.#inbox.setValue(this.#key, JSON.stringify(stored))
  }
}

const isRemembered = ({ redelivery, guid }: LoggedAttempt): boolean => redelivery || !isGuid(guid)

/** The redeliveries in a stored cursor: pairs of id and time. */
function seenIn({ seen }: Json): Map<string, number> {
  const pairs = Array.isArray(seen) ? seen.filter((pair: unknown) => Array.isArray(pair)) : []
  return new Map(pairs.map(([id, deliveredAt]) => [String(id), Number(deliveredAt)]))
}

import type { Inbox } from '../../inbox/inbox.ts'
import { DeliveryLog, type LoggedAttempt, type SentRequest, settlingTime } from '../delivery-log.ts'
import { findAppHookId, findKnownGuids, inboxCreatedAt, recoveredDelivery } from '../recovered-delivery.ts'
import type { RecoverySettings } from '../recovery/options.ts'
import type { RequestError, Requester } from '../requester.ts'
import type { Webhook } from '../webhooks/find-webhooks.ts'

/** The webhooks to poll, and the dependencies of polling. */
export interface PollingOptions
  extends Pick<RecoverySettings, 'inbox' | 'source' | 'logger' | 'targets' | 'retention' | 'connect'> {
  /** The shortest wait from the end of a poll to the start of the next, in milliseconds. */
  every: number
  /** Waits for `ms` milliseconds. Default: with a timer that does not keep the process alive. */
  pause?: (ms: number) => Promise<void>
}

/**
 * Reads GitHub's log of a webhook, and stores the new deliveries in the inbox, oldest first. One import stores each
 * GUID at most once.
 */
export class DeliveryImporter {
  readonly #options: PollingOptions
  readonly #webhook: Webhook
  readonly #log: DeliveryLog
  readonly #cursor: LogCursor
  /**
   * Before this time (of `performance.now()`), an import reads the log even if the ETag of the first page has not
   * changed, because an attempt that appears late may be on a later page.
   */
  #settledAt = 0

  constructor(options: PollingOptions, webhook: Webhook, github: Requester, cursor: LogCursor) {
    this.#options = options
    this.#webhook = webhook
    this.#log = new DeliveryLog(github, webhook.path)
    this.#cursor = cursor
  }

  /**
   * @param mayContinue Called before each request for a delivery. If it resolves to `false`, the import ends early.
   * @returns The number of deliveries that were stored.
   * @throws if GitHub or the inbox fails. After an error or an early end, use a new importer: this one remembers the
   * ETag of the log that it read. Until the log changes, it would skip the deliveries that it did not store.
   */
  async import(mayContinue: () => Promise<boolean>): Promise<number> {
    const { inbox, retention } = this.#options
    const from = Math.max(await inboxCreatedAt(inbox), this.#cursor.from, Date.now() - retention)
    const fresh = await this.#readSince(from)
    if (fresh.length === 0) return 0
    const wanted = await this.#select(fresh)
    let stored = 0
    try {
      for (const attempt of fresh) {
        if (wanted.has(attempt)) {
          if (!(await mayContinue())) break
          if (await this.#store(attempt)) stored++
        }
        this.#cursor.add(attempt)
      }
    } finally {
      await this.#cursor.save()
    }
    return stored
  }

  /** The attempts since `from` that the cursor does not have yet, oldest first. */
  async #readSince(from: number): Promise<LoggedAttempt[]> {
    const pages: LoggedAttempt[][] = []
    const ifChanged = performance.now() >= this.#settledAt
    for await (const attempts of this.#log.since(from, { ifChanged })) {
      pages.push(attempts.filter((attempt) => !this.#cursor.has(attempt)))
    }
    const fresh = pages.flat().reverse()
    if (pages.length > 1 && fresh.length > 0) this.#settledAt = performance.now() + settlingTime
    return fresh
  }

  /**
   * Selects the first new attempt of each GUID, if the inbox does not have the GUID or if the attempt is a redelivery.
   * Storing a redelivery of a known GUID counts a duplicate, or rearms a delivery that ended without success.
   */
  async #select(fresh: readonly LoggedAttempt[]): Promise<Set<LoggedAttempt>> {
    const { inbox, source } = this.#options
    const firsts = new Map(fresh.toReversed().map((attempt) => [attempt.guid, attempt]))
    const newest = async () => fresh.at(-1)
    const hookId = this.#webhook.id ?? (await findAppHookId(inbox, this.#log, newest)) ?? ''
    const known = await findKnownGuids(inbox, { source, hookId, guids: [...firsts.keys()] })
    return new Set([...firsts.values()].filter(({ guid, redelivery }) => !known.has(guid) || redelivery))
  }

  async #store({ id, guid, event }: LoggedAttempt): Promise<boolean> {
    const { inbox, source, logger } = this.#options
    const { target, id: hookId = '' } = this.#webhook
    let sent: SentRequest
    try {
      sent = await this.#log.read(id)
    } catch (error) {
      if ((error as RequestError).status !== 404) throw error
      logger.warn({ target, guid, event }, 'Cannot fetch a delivery: GitHub no longer keeps it')
      return false
    }
    await inbox.store(recoveredDelivery(sent, { source, hookId, guid, event }, Date.now()))
    return true
  }
}

interface StoredCursor {
  at: number
  seen: readonly (readonly [id: number, deliveredAt: number])[]
}

/**
 * How far polling has read GitHub's log of a webhook. GitHub may list an attempt up to `settlingTime` late. So the
 * cursor has the time of the newest attempt, and the ids of the attempts in the `settlingTime` before it. Other
 * attempts from that period are new.
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

  /** The time from which the log has to be read, in milliseconds since 1970. */
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

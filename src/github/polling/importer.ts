import type { MissedDelivery } from '../../inbox/missed-deliveries.ts'
import { hour } from '../../runtime/units.ts'
import { DeliveryLog, type LoggedAttempt, type LogReading } from '../delivery-log.ts'
import { Fetcher, maxStrikes, newMissedDelivery } from '../fetcher.ts'
import { settlingTime } from '../log-position.ts'
import { lookbackByGitHub } from '../lookback.ts'
import { findAppHookId, findKnownGuids, recordReceived } from '../pulled-delivery.ts'
import { isRequestDue } from '../recovery/next-state.ts'
import type { RecoverySettings } from '../recovery/options.ts'
import type { Requester, RetryPolicy } from '../requester.ts'
import type { Target } from '../target.ts'
import type { Webhook } from '../webhooks/find-webhooks.ts'
import type { LogCursor } from './log-cursor.ts'

/** The webhooks to poll, and the dependencies of polling. */
export interface PollingOptions
  extends Pick<RecoverySettings, 'inbox' | 'source' | 'logger' | 'targets' | 'retention' | 'connect'> {
  /** The shortest wait from the end of a poll to the start of the next, in milliseconds. */
  every: number
  /** Part of the name of a target's lease, and of the key of its cursor. */
  namespaceOf(target: Target): string
  /** Waits for `ms` milliseconds. Default: with a timer that does not keep the process alive. */
  pause?: (ms: number) => Promise<void>
  /** Timeouts and retries of requests. A wait for a rate limit always ends the poll. */
  retryPolicy?: RetryPolicy
}

interface ImporterOptions {
  polling: PollingOptions
  webhook: Webhook
  github: Requester
  cursor: LogCursor
  /** Logs a warning, unless the poller has logged it before. */
  warnOnce(message: string): void
}

/** Milliseconds after which a poll reads the log although its first page is unchanged: older parts may have changed. */
const repeatInterval = hour

/**
 * The maximum number of deliveries that one import stores, the oldest of those in the log, because each takes memory.
 * The next import reads the log again, and stores the others.
 */
const maxImported = 20_000

/** The shortest wait, in milliseconds, before a delivery that GitHub did not show is requested again. */
const minRetryDelay = 60_000

/** The attempts that an import fetches. */
interface Selection {
  /** `X-GitHub-Hook-ID`; empty if it is unknown, or if there are no attempts. */
  hookId: string
  /** Oldest first. */
  wanted: LoggedAttempt[]
  /** Redeliveries that an older attempt of the same delivery replaces. */
  others: LoggedAttempt[]
  /** The time of the newest attempt that was read. */
  newest: number
  /** False if there are more than `maxImported` attempts to fetch. */
  isComplete: boolean
}

/** The right to import, which another process may take over. */
interface ImportLease {
  /** Whether the import may change the cursor. */
  isHeld(): Promise<boolean>
  /** Whether the import goes on. Called before each request for a delivery. May wait for a rate limit. */
  mayContinue(): Promise<boolean>
}

/**
 * Reads GitHub's log of a webhook, and stores the new deliveries in the inbox, oldest first. One import stores each
 * GUID at most once. A delivery that GitHub lists, but does not show, is recorded as missed. Later imports request it
 * again.
 */
export class DeliveryImporter {
  readonly #options: ImporterOptions
  readonly #log: DeliveryLog
  /**
   * The missed deliveries of the target by GUID, as this importer knows them. A sweep may also change their records. Those
   * of another App, which may share the inbox, are removed when the id of the App's webhook is known.
   */
  readonly #missed: Map<string, MissedDelivery>
  /**
   * Times of `performance.now()`. Before `#settledAt`, an import ignores the ETag of the first page, because a late
   * attempt may be on a later page. From `#repeatAt` on, it ignores the ETag for the hourly read.
   */
  #settledAt = 0
  #repeatAt = 0
  /** `undefined` until an import has found the id of the App's webhook. */
  #hookId: string | undefined
  /** Milliseconds from the local time to GitHub's. */
  #clockDifference = 0
  #stored = 0
  #strikes = 0

  private constructor(options: ImporterOptions, missed: readonly MissedDelivery[]) {
    this.#options = options
    this.#log = new DeliveryLog(options.github, options.webhook.path)
    this.#missed = new Map(missed.map((one) => [one.guid, one]))
  }

  static async open(options: ImporterOptions): Promise<DeliveryImporter> {
    const { polling, webhook } = options
    const all = await polling.inbox.missedDeliveries()
    const ofWebhook = all.filter(({ target, hookId }) => target === webhook.target && hookId === (webhook.id ?? hookId))
    return new DeliveryImporter(
      options,
      ofWebhook.filter(({ state }) => state === 'missed'),
    )
  }

  /**
   * @param lease If `mayContinue` resolves to `false`, the import ends early.
   * @returns The number of deliveries that were stored.
   * @throws if GitHub or the inbox fails. After an error or an early end, use a new importer: this one remembers the
   * ETag of the log that it read. Until the log changes, it would skip the deliveries that it did not store.
   */
  async import(lease: ImportLease): Promise<number> {
    const [startedAt, storedBefore] = [performance.now(), this.#stored]
    const reading = await this.#log.open({ ifChanged: startedAt >= this.#settledAt && startedAt < this.#repeatAt })
    if (reading) this.#clockDifference = reading.now - Date.now()
    const fetcher = new Fetcher(this.#log, this.#options.polling, Date.now() + this.#clockDifference)
    this.#strikes = 0
    if (reading) await this.#importNew(reading, fetcher, lease)
    await this.#retryMissed(fetcher, lease)
    return this.#stored - storedBefore
  }

  async #importNew(reading: LogReading, fetcher: Fetcher, lease: ImportLease): Promise<void> {
    const { polling, cursor, webhook } = this.#options
    const { pollSince } = await lookbackByGitHub(polling.inbox, reading.now)
    const earliest = Math.max(pollSince, reading.now - polling.retention)
    const range = cursor.range(reading.now, earliest)
    const { hookId, wanted, others, newest, isComplete } = await this.#select(range.from, reading)
    this.#warnAbout(reading)
    const about = { hookId, target: webhook.target, retention: polling.retention }
    try {
      for (const attempt of wanted) {
        if (!(await lease.mayContinue())) return
        const missed = this.#missed.get(attempt.guid) ?? newMissedDelivery(about, attempt, attempt)
        const expiresAt = attempt.deliveredAt + polling.retention
        const error = await this.#fetch({ ...missed, deliveryId: attempt.id, expiresAt }, fetcher)
        if (this.#strikes >= maxStrikes) throw error
        cursor.add(attempt)
      }
      if (range.isRepeated) this.#repeatAt = performance.now() + repeatInterval
      if (isComplete) {
        for (const attempt of others) cursor.add(attempt)
        cursor.moveTo(range.next(newest, reading.isBroken))
      } else this.#repeatAt = 0
    } finally {
      if (await lease.isHeld()) await cursor.save(earliest)
    }
  }

  /**
   * Selects at most one attempt of each GUID: the first attempt, if the inbox does not have the GUID, or else the
   * oldest redelivery that was not read before. Storing a redelivery of a known GUID counts a duplicate, or rearms a
   * delivery that ended without success. If the first attempt is new in the log too, the inbox got the delivery in
   * another way, so nothing is selected.
   */
  async #select(from: number, reading: LogReading): Promise<Selection> {
    const { cursor } = this.#options
    const selection = { hookId: undefined as string | undefined, others: [] as LoggedAttempt[], newest: from }
    /** By GUID, newest first. */
    const wanted = new Map<string, LoggedAttempt>()
    let [pages, isComplete] = [0, true]
    for await (const attempts of reading.since(from)) {
      pages++
      selection.hookId ??= await this.#findHookId(attempts)
      const known = await this.#findKnown(selection.hookId, attempts)
      for (const attempt of attempts) {
        const { guid, redelivery, deliveredAt } = attempt
        selection.newest = Math.max(selection.newest, deliveredAt)
        if (cursor.has(attempt)) continue
        if (!redelivery && known.has(guid) && !cursor.isBefore(attempt)) continue
        const newer = wanted.get(guid)
        if (newer) {
          wanted.delete(guid)
          if (newer.redelivery) selection.others.push(newer)
        }
        if (redelivery || !known.has(guid)) wanted.set(guid, attempt)
      }
      for (const guid of wanted.keys()) {
        if (wanted.size <= maxImported) break
        wanted.delete(guid)
        isComplete = false
      }
    }
    if (pages > 1 && wanted.size > 0) this.#settledAt = performance.now() + settlingTime
    return { ...selection, hookId: selection.hookId ?? '', wanted: [...wanted.values()].reverse(), isComplete }
  }

  async #findHookId(attempts: readonly LoggedAttempt[]): Promise<string> {
    if (this.#hookId === undefined) {
      this.#hookId = this.#options.webhook.id ?? (await findAppHookId(this.#log, attempts))
      for (const { guid, hookId } of this.#missed.values()) if (hookId !== this.#hookId) this.#missed.delete(guid)
    }
    return this.#hookId ?? ''
  }

  /** The GUIDs that the inbox has, or that are recorded as missed. */
  async #findKnown(hookId: string, attempts: readonly LoggedAttempt[]): Promise<Set<string>> {
    const { inbox } = this.#options.polling
    const guids = [...new Set(attempts.map(({ guid }) => guid))]
    const known = await findKnownGuids(inbox, { hookId, guids })
    for (const guid of guids) if (this.#missed.has(guid)) known.add(guid)
    return known
  }

  /** Requests the missed deliveries that are due, until too many of them fail in a row. */
  async #retryMissed(fetcher: Fetcher, lease: ImportLease): Promise<void> {
    if (this.#hookId === undefined) return // the log is empty, so GitHub shows none of them
    const every = Math.max(this.#options.polling.every, minRetryDelay)
    const now = Date.now()
    const due = [...this.#missed.values()].filter((missed) => isRequestDue(missed, { every, includeOk: false }, now))
    const { inbox } = this.#options.polling
    for (const { guid } of await recordReceived(inbox, due)) this.#missed.delete(guid) // such as from a sweep
    for (const missed of due.toSorted((a, b) => a.deliveredAt - b.deliveredAt)) {
      if (!this.#missed.has(missed.guid)) continue
      if (this.#strikes >= maxStrikes || !(await lease.mayContinue())) return
      await this.#fetch(missed, fetcher)
    }
  }

  /** Stores a delivery, or records that it is missed. @returns Why it was not stored, if another request may help. */
  async #fetch(before: MissedDelivery, fetcher: Fetcher): Promise<unknown> {
    const { inbox, logger } = this.#options.polling
    const { missed, error, strikes } = await fetcher.pull(before)
    const { target, guid, event, deliveryId, state, status } = missed
    const isRecorded = this.#missed.has(guid)
    if (state === 'received') this.#stored++
    if (isRecorded || state !== 'received') await inbox.saveMissedDeliveries([missed])
    if (state === 'missed') this.#missed.set(guid, missed)
    else this.#missed.delete(guid)
    this.#strikes = strikes === 0 ? 0 : this.#strikes + strikes
    const fields = { target, guid, event, deliveryId }
    if (state === 'expired') logger.warn(fields, `Cannot recover a delivery, which has expired: ${status}`)
    else if (state === 'missed' && !isRecorded) {
      logger.warn(fields, `Cannot recover a delivery: ${status}. hookserver will try again`)
    }
    return error
  }

  #warnAbout({ problem, unreadable }: LogReading): void {
    const { webhook, warnOnce } = this.#options
    if (problem !== undefined) warnOnce(`${webhook.target}: ${problem}`)
    for (const entry of unreadable)
      warnOnce(`${webhook.target}: GitHub's delivery log has an entry without an id: ${entry}`)
  }
}

import type { MissedDelivery } from '../../inbox/missed-deliveries.ts'
import type { DeliveryLog, LoggedAttempt, LogReading } from '../delivery-log.ts'
import { newMissedDelivery } from '../fetcher.ts'
import { type LogPosition, nextRange, parsePosition } from '../log-position.ts'
import { lookbackByGitHub } from '../lookback.ts'
import { findKnownGuids } from '../pulled-delivery.ts'
import { nextState } from './next-state.ts'
import type { RecoverySettings, SweepOptions } from './options.ts'

/** The attempts of one delivery in the part of the log that was read. */
interface LoggedDelivery {
  first: LoggedAttempt
  last: LoggedAttempt
  /** Whether an attempt was answered with 2xx. */
  ok: boolean
}

/** A webhook whose id is known. */
export interface IdentifiedWebhook {
  target: string
  id: string
}

/** The result of comparing one webhook with the inbox. */
interface Comparison {
  /** The start of the part of the log that was read, in milliseconds since 1970. */
  from: number
  /** GitHub's time when the log was read, in milliseconds since 1970. */
  now: number
  /** Deliveries in the part of the log that was read. */
  sent: number
  /** Deliveries that the inbox does not have, of events that recovery does not cover. */
  unhandled: number
  /** The missed deliveries with their next states. */
  missedDeliveries: MissedDelivery[]
  /** Where the next sweep continues. `undefined` if there were too many missed deliveries for one sweep. */
  position: LogPosition | undefined
  /** Why a part of the log could not be read, or was left for the next sweep. */
  problem: string | undefined
}

/**
 * The key under which the inbox keeps the position in the log of a webhook. Sweeps that look back less have a position
 * of their own, because they leave a part of the log to the others.
 */
function cursorKey(hookId: string, { retention, lookback = retention }: RecoverySettings): string {
  return `recovery cursor of webhook ${hookId}${lookback < retention ? `, for ${lookback} ms` : ''}`
}

/** Compares GitHub's log of a webhook with the inbox. `saveComparison` records the result. */
export async function compareLog(
  settings: RecoverySettings,
  webhook: IdentifiedWebhook,
  log: DeliveryLog,
  { thorough = false, dryRun = false }: SweepOptions,
): Promise<Comparison> {
  const { inbox, retention, lookback = retention, maxCompared = defaultMaxCompared, isHandled } = settings
  const reading = (await log.open()) as LogReading // without `ifChanged`, it is never undefined
  const { now } = reading
  // Earlier deliveries are older than the inbox, deleted by GitHub, or beyond the option `lookback`.
  const { recoverSince } = await lookbackByGitHub(inbox, now, { dryRun })
  const earliest = Math.max(recoverSince, now - Math.min(retention, lookback))
  const range = nextRange(parsePosition(await inbox.getValue(cursorKey(webhook.id, settings))), now, earliest, thorough)
  const recorded = await recordedDeliveries(settings, webhook.id)
  const findKnown = (guids: readonly string[]) => findKnownGuids(inbox, { hookId: webhook.id, guids })
  const inInbox = { recorded, findKnown }
  const { logged, arrived, sent, ignored, newest, isComplete } = await readLog(reading, range.from, settings, inInbox)
  const open = [...recorded.values()].filter(({ state }) => state === 'missed' || state === 'requested')
  const guids = [...new Set([...logged.keys(), ...arrived, ...open.map(({ guid }) => guid)])]
  const known = await findKnown(guids) // again, because a delivery may have arrived meanwhile
  const about = { hookId: webhook.id, target: webhook.target, retention }
  const newMissed = ({ first, last }: LoggedDelivery) => newMissedDelivery(about, first, last)
  const missedDeliveries: MissedDelivery[] = []
  let unhandled = ignored
  for (const guid of guids) {
    const delivery = logged.get(guid)
    const before = recorded.get(guid)
    const missed = { ...(before ?? newMissed(delivery as LoggedDelivery)) }
    if (delivery) missed.expiresAt = delivery.last.deliveredAt + retention
    const state = nextState(before, {
      inInbox: known.has(guid),
      handled: isHandled(missed.event, missed.action),
      expired: missed.expiresAt <= now,
      logged: delivery && { delivered: delivery.ok, deliveryId: delivery.last.id },
    })
    if (state === 'unhandled') unhandled++
    else if (state) missedDeliveries.push(withState(missed, state, delivery?.last))
  }
  const problem = reading.problem ?? problemOf(reading) ?? (isComplete ? undefined : tooMany(maxCompared))
  const position = isComplete ? range.next(newest, reading.isBroken) : undefined
  return { from: range.from, now, sent, unhandled, missedDeliveries, position, problem }
}

/**
 * The maximum number of deliveries of one webhook that a sweep compares, because each takes memory. A sweep that
 * requests one a second takes more than five hours for them.
 */
const defaultMaxCompared = 20_000

const tooMany = (maxCompared: number): string =>
  `The inbox missed more than ${maxCompared} deliveries: this sweep requests the oldest, and later sweeps request the others`

function problemOf({ unreadable }: LogReading): string | undefined {
  if (unreadable.length === 0) return undefined
  return `GitHub's delivery log has entries that cannot be read: ${unreadable.join(', ')}`
}

/** The maximum number of records that are saved at a time, because they are copied to the thread of a store. */
const maxSaved = 1000

/** Records the missed deliveries, and the position in the log. */
export async function saveComparison(
  settings: RecoverySettings,
  webhook: IdentifiedWebhook,
  { missedDeliveries, position }: Comparison,
): Promise<void> {
  const { inbox } = settings
  for (let start = 0; start < missedDeliveries.length; start += maxSaved) {
    await inbox.saveMissedDeliveries(missedDeliveries.slice(start, start + maxSaved))
  }
  if (position) await inbox.setValue(cursorKey(webhook.id, settings), JSON.stringify(position))
}

interface InInbox {
  /** The records of earlier sweeps, by GUID. */
  recorded: ReadonlyMap<string, MissedDelivery>
  /** Of the given GUIDs, those that the inbox has. */
  findKnown(guids: readonly string[]): Promise<ReadonlySet<string>>
}

interface ReadLog {
  /** Deliveries by GUID that the inbox did not have when their page was read. */
  logged: Map<string, LoggedDelivery>
  /** The GUIDs of deliveries that the inbox has, and that earlier sweeps recorded as missed. */
  arrived: Set<string>
  /** The number of deliveries in the part of the log. */
  sent: number
  /** The number of deliveries that are in neither the inbox nor `logged`, because recovery does not cover them. */
  ignored: number
  /** The time of the newest attempt, in milliseconds since 1970. */
  newest: number
  /** False if `logged` lacks missed deliveries, because there are too many. */
  isComplete: boolean
}

/** The log lists the attempts newest first, so the `first` attempt of a delivery is read after its `last`. */
async function readLog(
  reading: LogReading,
  from: number,
  { isHandled, includeOk, maxCompared = defaultMaxCompared }: RecoverySettings,
  { recorded, findKnown }: InInbox,
): Promise<ReadLog> {
  const logged = new Map<string, LoggedDelivery>()
  const arrived = new Set<string>()
  const [sent, ignored] = [new DeliveryCounter(), new DeliveryCounter()]
  let newest = from
  let isComplete = true
  for await (const attempts of reading.since(from)) {
    const known = await findKnown([...new Set(attempts.map(({ guid }) => guid))])
    for (const attempt of attempts) {
      const { guid, event, action, deliveredAt } = attempt
      newest = Math.max(newest, deliveredAt)
      sent.add(attempt)
      if (known.has(guid)) {
        if (recorded.has(guid)) arrived.add(guid)
        continue
      }
      if (!recorded.has(guid) && !isHandled(event, action)) {
        ignored.add(attempt)
        continue
      }
      const { last, ok } = logged.get(guid) ?? { last: attempt, ok: false }
      logged.set(guid, { first: attempt, last, ok: ok || attempt.ok })
    }
    if (dropNewest(logged, maxCompared, includeOk) > 0) isComplete = false
  }
  return { logged, arrived, sent: sent.count, ignored: ignored.count, newest, isComplete }
}

/**
 * Counts the deliveries of attempts that are added newest first. A delivery has one first attempt, so only the GUIDs of
 * redeliveries are kept: 250,000 GUIDs would take too much memory.
 */
class DeliveryCounter {
  #firstAttempts = 0
  readonly #redelivered = new Set<string>()

  add({ guid, redelivery }: LoggedAttempt): void {
    if (redelivery) this.#redelivered.add(guid)
    else {
      this.#firstAttempts++
      this.#redelivered.delete(guid)
    }
  }

  get count(): number {
    return this.#firstAttempts + this.#redelivered.size
  }
}

/**
 * Drops deliveries if there are more than `maxCompared`: first those that are not requested, because they were answered
 * with 2xx, then the newest, because GitHub deletes the oldest first. @returns The number of those that would be
 * requested.
 */
function dropNewest(logged: Map<string, LoggedDelivery>, maxCompared: number, includeOk: boolean): number {
  let dropped = 0
  const drop = (isDropped: (delivery: LoggedDelivery) => boolean) => {
    for (const [guid, delivery] of logged) {
      if (logged.size <= maxCompared) return
      if (!isDropped(delivery)) continue
      logged.delete(guid)
      if (!delivery.ok || includeOk) dropped++
    }
  }
  drop(({ ok }) => ok && !includeOk)
  drop(() => true)
  return dropped
}

async function recordedDeliveries({ inbox }: RecoverySettings, hookId: string): Promise<Map<string, MissedDelivery>> {
  const ofHook = (await inbox.missedDeliveries()).filter((missed) => missed.hookId === hookId)
  return new Map(ofHook.map((missed) => [missed.guid, missed]))
}

/**
 * Sets the state. For `missed` and `unrecorded`, also sets the id and the status of the latest attempt in the log. The
 * status of a `missed` delivery stays if the attempt is not new: it may say why a sweep could not request the delivery.
 */
function withState(missed: MissedDelivery, state: MissedDelivery['state'], last?: LoggedAttempt): MissedDelivery {
  if (!last || (state !== 'missed' && state !== 'unrecorded')) return { ...missed, state }
  if (state === 'missed' && missed.deliveryId === last.id) return { ...missed, state }
  return { ...missed, state, deliveryId: last.id, status: last.status }
}

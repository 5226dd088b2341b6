import type { MissedDelivery } from '../../inbox/missed-deliveries.ts'
import type { DeliveryLog, LoggedAttempt, LogReading } from '../delivery-log.ts'
import { newMissedDelivery } from '../fetcher.ts'
import { type LogPosition, nextRange, parsePosition } from '../log-position.ts'
import { findKnownGuids, inboxCreatedAt } from '../recovered-delivery.ts'
import { nextState } from './next-state.ts'
import type { RecoverySettings } from './options.ts'

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
export interface Comparison {
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
  /** Where the next sweep continues. `undefined` if this sweep did not reach the start of its part of the log. */
  position: LogPosition | undefined
  /** Why a part of the log could not be read. */
  problem: string | undefined
}

/** The key under which the inbox keeps the position in the log of a webhook. */
const cursorKey = (hookId: string): string => `recovery cursor of webhook ${hookId}`

/** Compares GitHub's log of a webhook with the inbox. It changes nothing: `saveComparison` records the result. */
export async function compareLog(
  settings: RecoverySettings,
  webhook: IdentifiedWebhook,
  log: DeliveryLog,
  thorough: boolean,
): Promise<Comparison> {
  const { inbox, source, retention, lookback = retention } = settings
  const reading = (await log.open()) as LogReading // without `ifChanged`, it is never undefined
  const { now } = reading
  // Earlier deliveries are older than the inbox, deleted by GitHub, or beyond the option `lookback`.
  const earliest = Math.max(await inboxCreatedAt(inbox, now), now - Math.min(retention, lookback))
  const range = nextRange(parsePosition(await inbox.getValue(cursorKey(webhook.id))), now, earliest, thorough)
  const logged = await readLog(reading, range.from)
  const recorded = await recordedDeliveries(settings, webhook.id)
  const open = [...recorded.values()].filter(({ state }) => state === 'missed' || state === 'requested')
  const guids = [...new Set([...logged.keys(), ...open.map(({ guid }) => guid)])]
  const known = await findKnownGuids(inbox, { source, hookId: webhook.id, guids })
  const about = { hookId: webhook.id, target: webhook.target, retention }
  const newMissed = ({ first, last }: LoggedDelivery) => newMissedDelivery(about, first, last)
  const missedDeliveries: MissedDelivery[] = []
  let unhandled = 0
  for (const guid of guids) {
    const delivery = logged.get(guid)
    const before = recorded.get(guid)
    const missed = before ?? newMissed(delivery as LoggedDelivery)
    const state = nextState(before, {
      inInbox: known.has(guid),
      expired: missed.expiresAt <= now,
      logged: delivery && seenIn(delivery, settings),
    })
    if (state === 'unhandled') unhandled++
    else if (state) missedDeliveries.push(withState(missed, state, delivery?.last))
  }
  const newest = [...logged.values()].reduce((time, one) => Math.max(time, one.last.deliveredAt), earliest)
  const problem = reading.problem ?? problemOf(reading)
  const position = reading.problem === undefined ? range.next(newest) : undefined
  return { from: range.from, now, sent: logged.size, unhandled, missedDeliveries, position, problem }
}

function problemOf({ unreadable }: LogReading): string | undefined {
  if (unreadable.length === 0) return undefined
  return `GitHub's delivery log has entries that cannot be read: ${unreadable.join(', ')}`
}

/** Records the missed deliveries, and the position in the log. */
export async function saveComparison(
  { inbox }: RecoverySettings,
  webhook: IdentifiedWebhook,
  { missedDeliveries, position }: Comparison,
): Promise<void> {
  await inbox.saveMissedDeliveries(missedDeliveries)
  if (position) await inbox.setValue(cursorKey(webhook.id), JSON.stringify(position))
}

/** The deliveries in the log, by GUID. The log lists the attempts newest first, so `first` is read after `last`. */
async function readLog(reading: LogReading, from: number): Promise<Map<string, LoggedDelivery>> {
  const deliveries = new Map<string, LoggedDelivery>()
  for await (const attempts of reading.since(from)) {
    for (const attempt of attempts) {
      const { last, ok } = deliveries.get(attempt.guid) ?? { last: attempt, ok: false }
      deliveries.set(attempt.guid, { first: attempt, last, ok: ok || attempt.ok })
    }
  }
  return deliveries
}

async function recordedDeliveries({ inbox }: RecoverySettings, hookId: string): Promise<Map<string, MissedDelivery>> {
  const ofHook = (await inbox.missedDeliveries()).filter((missed) => missed.hookId === hookId)
  return new Map(ofHook.map((missed) => [missed.guid, missed]))
}

function seenIn({ first, last, ok }: LoggedDelivery, { isHandled }: RecoverySettings) {
  return { handled: isHandled(first.event, first.action), delivered: ok, deliveryId: last.id }
}

/**
 * Sets the state. For `missed` and `unrecorded`, also sets the status of the latest attempt in the log, if the attempt
 * is new: otherwise the status may say why a sweep could not request it. For `missed`, also sets the id of the attempt.
 */
function withState(missed: MissedDelivery, state: MissedDelivery['state'], last?: LoggedAttempt): MissedDelivery {
  if (!last || (state !== 'missed' && state !== 'unrecorded')) return { ...missed, state }
  if (state === 'missed' && missed.deliveryId === last.id) return { ...missed, state }
  const deliveryId = state === 'missed' ? last.id : missed.deliveryId
  return { ...missed, state, deliveryId, status: last.status }
}

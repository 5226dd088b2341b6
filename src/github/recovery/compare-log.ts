import type { MissedDelivery } from '../../inbox/missed-deliveries.ts'
import { type DeliveryLog, type LoggedAttempt, settlingTime } from '../delivery-log.ts'
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
  /** Deliveries in the part of the log that was read. */
  sent: number
  /** Deliveries that the inbox does not have, of events that recovery does not cover. */
  unhandled: number
  /** The missed deliveries with their next states. */
  missedDeliveries: MissedDelivery[]
  /**
   * The end of the part of the log that was read, in milliseconds since 1970. The next sweep reads the log from
   * `settlingTime` before this time, unless that sweep is thorough.
   */
  cursor: number
}

/** The key under which the inbox keeps the time up to which the log of a webhook was read. */
const cursorKey = (hookId: string): string => `recovery cursor of webhook ${hookId}`

/** Compares GitHub's log of a webhook with the inbox. It changes nothing: `saveComparison` records the result. */
export async function compareLog(
  settings: RecoverySettings,
  webhook: IdentifiedWebhook,
  log: DeliveryLog,
  thorough: boolean,
): Promise<Comparison> {
  const { inbox, source, retention, lookback = retention } = settings
  const now = Date.now()
  // Earlier deliveries are older than the inbox, deleted by GitHub, or beyond the option `lookback`.
  const earliest = Math.max(await inboxCreatedAt(inbox), now - Math.min(retention, lookback))
  const last = Number((await inbox.getValue(cursorKey(webhook.id))) ?? 0)
  const from = thorough ? earliest : Math.max(last - settlingTime, earliest)
  const logged = await readLog(log, from)
  const recorded = await recordedDeliveries(settings, webhook.id)
  const open = [...recorded.values()].filter(({ state }) => state === 'missed' || state === 'requested')
  const guids = [...new Set([...logged.keys(), ...open.map(({ guid }) => guid)])]
  const known = await findKnownGuids(inbox, { source, hookId: webhook.id, guids })
  const missedDeliveries: MissedDelivery[] = []
  let unhandled = 0
  for (const guid of guids) {
    const delivery = logged.get(guid)
    const before = recorded.get(guid)
    const missed = before ?? newMissedDelivery(settings, webhook, delivery as LoggedDelivery)
    const state = nextState(before, {
      inInbox: known.has(guid),
      expired: missed.expiresAt <= now,
      logged: delivery && seenIn(delivery, settings),
    })
    if (state === 'unhandled') unhandled++
    else if (state) missedDeliveries.push(withState(missed, state, delivery?.last))
  }
  const newest = [...logged.values()].reduce((time, one) => Math.max(time, one.last.deliveredAt), earliest)
  return { from, sent: logged.size, unhandled, missedDeliveries, cursor: Math.max(last, newest) }
}

/** Records the missed deliveries, and the time up to which the log was read. */
export async function saveComparison(
  { inbox }: RecoverySettings,
  webhook: IdentifiedWebhook,
  { missedDeliveries, cursor }: Comparison,
): Promise<void> {
  await inbox.saveMissedDeliveries(missedDeliveries)
  await inbox.setValue(cursorKey(webhook.id), String(cursor))
}

/** The deliveries in the log, by GUID. The log lists the attempts newest first, so `first` is read after `last`. */
async function readLog(log: DeliveryLog, from: number): Promise<Map<string, LoggedDelivery>> {
  const deliveries = new Map<string, LoggedDelivery>()
  for await (const attempts of log.since(from)) {
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
 * Sets the state. For `missed` and `unrecorded`, also sets the status of the latest attempt in the log. For `missed`,
 * also sets the id of this attempt.
 */
function withState(missed: MissedDelivery, state: MissedDelivery['state'], last?: LoggedAttempt): MissedDelivery {
  if (!last || (state !== 'missed' && state !== 'unrecorded')) return { ...missed, state }
  const deliveryId = state === 'missed' ? last.id : missed.deliveryId
  return { ...missed, state, deliveryId, status: last.status }
}

function newMissedDelivery(
  { retention }: RecoverySettings,
  webhook: IdentifiedWebhook,
  { first, last }: LoggedDelivery,
): MissedDelivery {
  const { guid, event, action, deliveredAt } = first
  return {
    ...{ hookId: webhook.id, guid, target: webhook.target, event, action, deliveredAt },
    ...{ deliveryId: last.id, status: last.status, state: 'missed' },
    ...{ requests: 0, requestedAt: undefined, expiresAt: deliveredAt + retention },
  }
}

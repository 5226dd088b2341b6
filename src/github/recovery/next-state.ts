import type { MissedDelivery, MissedDeliveryState } from '../../inbox/missed-deliveries.ts'
import { hour } from '../../runtime/units.ts'
import type { RecoverySettings } from './options.ts'

/** The facts about one delivery that a sweep sees. */
interface SeenDelivery {
  /** Whether the inbox has the delivery, or had and pruned it. */
  inInbox: boolean
  /** Whether recovery covers deliveries of this event and action. */
  handled: boolean
  /** Whether GitHub no longer keeps the delivery. */
  expired: boolean
  /** The attempts of the delivery in the part of GitHub's log that this sweep read; `undefined` if there are none. */
  logged:
    | {
        /** Whether an attempt was answered with 2xx. */
        delivered: boolean
        /** GitHub's id of the latest attempt. */
        deliveryId: string
      }
    | undefined
}

/**
 * The state of a delivery after a sweep. The first row that fits applies:
 *
 * | recorded as missed | in the inbox | event covered | in GitHub's log                   | expired | next state    |
 * | ------------------ | ------------ | ------------- | --------------------------------- | ------- | ------------- |
 * | no                 | yes          |               |                                   |         | none          |
 * | yes                | yes          |               |                                   |         | `received`    |
 * |                    | no           | no            |                                   |         | `'unhandled'` |
 * |                    | no           | yes           | delivered                         |         | `unrecorded`  |
 * |                    | no           | yes           |                                   | yes     | `expired`     |
 * | no                 | no           | yes           | failed                            | no      | `missed`      |
 * | yes                | no           | yes           | failed, with a new latest attempt | no      | `missed`      |
 * | yes                | no           | yes           | the same latest attempt, or none  | no      | unchanged     |
 *
 * After that, the sweep fetches the deliveries for which `isRequestDue` is true. Such a delivery becomes `requested` if
 * the sweep requests a redelivery, `received` if the sweep stores the payload, `missed` if the request
 * fails, and `expired` if it fails and GitHub no longer keeps the latest attempt.
 * @param missed The record of earlier sweeps; `undefined` if there is none.
 * @returns `undefined` if the delivery is not a missed one, `'unhandled'` if recovery does not cover its event.
 */
export function nextState(
  missed: Pick<MissedDelivery, 'state' | 'deliveryId'> | undefined,
  { inInbox, handled, expired, logged }: SeenDelivery,
): MissedDeliveryState | 'unhandled' | undefined {
  if (inInbox) return missed && 'received'
  if (!handled) return 'unhandled'
  if (logged?.delivered) return 'unrecorded'
  if (expired) return 'expired'
  if (!missed) return 'missed'
  return logged && logged.deliveryId !== missed.deliveryId ? 'missed' : missed.state
}

/**
 * Milliseconds from a request for a redelivery until a sweep may repeat the request, if its outcome is still unknown.
 * Until then, the redelivery may be on its way.
 */
const resultTimeout = hour

/** The longest wait, in milliseconds, before a delivery whose redelivery failed is requested again. */
const maxBackoff = 6 * hour

/**
 * Whether a sweep requests a delivery now. A `requested` delivery is due again after `resultTimeout`. A `missed`
 * delivery is due immediately if it has never been requested. Otherwise it waits, and the wait doubles with each
 * request. With `includeOk`, an `unrecorded` delivery is due at the same times as a `missed` one.
 */
export function isRequestDue(
  { state, requests, requestedAt = 0 }: MissedDelivery,
  { every, includeOk }: Pick<RecoverySettings, 'every' | 'includeOk'>,
  now: number,
): boolean {
  // A request in the future was made by a clock that was ahead, so that its age is unknown.
  const elapsed = requestedAt > now ? Number.POSITIVE_INFINITY : now - requestedAt
  if (state === 'requested') return elapsed > resultTimeout
  if (state !== 'missed' && !(state === 'unrecorded' && includeOk)) return false
  return requests === 0 || elapsed >= Math.min(every * 2 ** (requests - 1), maxBackoff)
}

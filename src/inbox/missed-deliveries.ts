/** Deliveries that GitHub sent and the inbox did not receive, as a recovery sweep recorded them. */
import { day, hour } from '../runtime/units.ts'

/**
 * The states of a missed delivery. `github/recovery/next-state.ts` decides the transitions. No sweep may see the delivery
 * again, for example if its webhook was deleted. So the store also changes `missed` and `requested` to `expired`.
 *
 * - `missed`: GitHub's latest attempt failed, and no redelivery is under way. With polling: GitHub's API does not show
 *   the delivery.
 * - `requested`: a sweep requested a redelivery, and its outcome is not known yet.
 * - `received`: the inbox has the delivery. Final.
 * - `expired`: GitHub no longer keeps the delivery, so it is lost. Final.
 * - `unrecorded`: GitHub's log shows it as delivered, but the inbox has no record of it. A sweep requests it only with
 *   the option `includeOk`.
 */
export const missedDeliveryStates = ['missed', 'requested', 'received', 'expired', 'unrecorded'] as const
/** The state of a missed delivery. */
export type MissedDeliveryState = (typeof missedDeliveryStates)[number]

/**
 * Milliseconds from `expiresAt` of a missed delivery until a store changes its state to `expired`. GitHub's clock may be
 * behind, and GitHub may keep the delivery for longer, so a sweep comes first.
 */
export const expiryMargin: number = hour

/** Milliseconds from `expiresAt` of a missed delivery until a store deletes its record. */
export const missedDeliveryAge: number = 31 * day

/** A store lists all `missed` and `requested` deliveries, because sweeps need them, and at most this many others. */
export const maxEndedMissedDeliveries = 20_000

/** How many missed deliveries are in each state. */
export type MissedDeliveryCounts = Record<MissedDeliveryState, number>

/**
 * A missed delivery. `hookId` and `guid` together identify it. `guid` alone is not enough, because all webhooks that
 * receive one event receive the same GUID.
 */
export interface MissedDelivery {
  /** The id of the webhook, as GitHub's API gives it. */
  hookId: string
  /** `X-GitHub-Delivery`, which a redelivery keeps. */
  guid: string
  /** The repository, organization or App that the webhook belongs to: `acme/shop`, `acme` or `app`. */
  target: string
  /** Without the action. */
  event: string
  /** `undefined` for an event without actions. */
  action: string | undefined
  /** GitHub's id of the latest attempt to send the delivery. */
  deliveryId: string
  /** When GitHub first tried to send the delivery, in milliseconds since 1970. */
  deliveredAt: number
  /**
   * The result of the latest attempt in GitHub's log, such as `timed out`, or why hookserver could not fetch the delivery.
   */
  status: string
  /** See `missedDeliveryStates`. */
  state: MissedDeliveryState
  /** How many times hookserver requested the delivery. */
  requests: number
  /** When hookserver last requested the delivery. */
  requestedAt: number | undefined
  /** When GitHub deletes the latest attempt from its delivery log. */
  expiresAt: number
}

/** GUIDs of one webhook to look up in an inbox. */
export interface GuidLookup {
  /** The id of the webhook that sent the deliveries. */
  hookId: string
  /** Those that GitHub's log of the webhook lists. */
  guids: readonly string[]
}

/** Tells recovery and polling which deliveries the inbox has, and keeps the records of those that it missed. */
export interface MissedDeliveryStore {
  /**
   * Of the GUIDs in `lookup`, returns those that the inbox knows. The inbox knows the GUID of a stored or pruned
   * delivery that came from the given webhook or has no hook id.
   */
  knownGuids(lookup: GuidLookup): Promise<string[]>
  /** Records missed deliveries, or their new states. */
  saveMissedDeliveries(missedDeliveries: readonly MissedDelivery[]): Promise<void>
  /** Missed deliveries, newest first: all that are `missed` or `requested`, and the newest of the others. */
  missedDeliveries(): Promise<MissedDelivery[]>
  /** When this inbox was created, in milliseconds since 1970. Older deliveries do not count as missed. */
  createdAt(): Promise<number>
}

/** A row of the table `missed_deliveries`, which is the same in every store. */
export interface MissedDeliveryRow {
  hook_id: string
  guid: string
  target: string
  event: string
  action: string | null
  delivery_id: string
  delivered_at: number
  status: string
  state: MissedDeliveryState
  requests: number
  requested_at: number | null
  expires_at: number
}

export function missedDeliveryOf(row: MissedDeliveryRow): MissedDelivery {
  return {
    hookId: row.hook_id,
    guid: row.guid,
    target: row.target,
    event: row.event,
    action: row.action ?? undefined,
    deliveryId: row.delivery_id,
    deliveredAt: row.delivered_at,
    status: row.status,
    state: row.state,
    requests: row.requests,
    requestedAt: row.requested_at ?? undefined,
    expiresAt: row.expires_at,
  }
}

export function rowOfMissedDelivery(missed: MissedDelivery): MissedDeliveryRow {
  return {
    hook_id: missed.hookId,
    guid: missed.guid,
    target: missed.target,
    event: missed.event,
    action: missed.action ?? null,
    delivery_id: missed.deliveryId,
    delivered_at: missed.deliveredAt,
    status: missed.status,
    state: missed.state,
    requests: missed.requests,
    requested_at: missed.requestedAt ?? null,
    expires_at: missed.expiresAt,
  }
}

/** What GitHub sent and did not come in: what a sweep of its deliveries API found missing, and what became of it. */

/**
 * A gap is `missed` until it is asked for, `asked` until it comes in or GitHub's log shows that it failed again, and ends
 * `arrived`, or `given up` when GitHub keeps it no longer. One that GitHub's log shows as delivered, and that is not here
 * all the same, is `absent`: nothing is asked for unless an operator wants it to be.
 */
export const gapStates = ['missed', 'asked', 'arrived', 'given up', 'absent'] as const
export type GapState = (typeof gapStates)[number]

export interface Gap {
  /** With `guid` what it is told by: one GUID goes to all hooks that an event concerns. */
  hookId: string
  guid: string
  /** Whose webhook it is: `acme/shop`, `acme` or `app`. */
  target: string
  event: string
  action: string | undefined
  /** GitHub's number of the last time that it sent it. */
  deliveryId: number
  /** When GitHub sent it first, in milliseconds since 1970. */
  deliveredAt: number
  /** What GitHub's log says of the last time. */
  status: string
  state: GapState
  /** How often it was asked for. */
  asked: number
  /** When it was asked for last. */
  askedAt: number | undefined
  /** Until when GitHub keeps it. */
  keptUntil: number
}

/** Deliveries of one hook that may be here. */
export interface Sought {
  /** Where they come in. */
  source: string
  hookId: string
  guids: readonly string[]
}

/** A row of `gaps`, as every store has it. */
export interface GapRow {
  hook_id: string
  guid: string
  target: string
  event: string
  action: string | null
  delivery_id: number
  delivered_at: number
  status: string
  state: GapState
  asked: number
  asked_at: number | null
  kept_until: number
}

export function gapOf(row: GapRow): Gap {
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
    asked: row.asked,
    askedAt: row.asked_at ?? undefined,
    keptUntil: row.kept_until,
  }
}

import type { Inbox } from '../inbox/inbox.ts'
import type { MissedDelivery } from '../inbox/missed-deliveries.ts'
import type { Attempt, DeliveryLog } from './delivery-log.ts'

/** Milliseconds that a sweep looks further back than the last one came: what was under way then has ended by now. */
export const overlap: number = 5 * 60_000

/** GUIDs that the inbox is asked for at once. */
const together = 500

/** All times that one delivery was sent to one hook. */
interface Group {
  first: Attempt
  latest: Attempt
  ok: boolean
}

/** What is looked for, and where. */
export interface SweepPlan {
  inbox: Inbox
  log: DeliveryLog
  target: string
  hookId: string
  /** Where its deliveries come in. */
  source: string
  /** From when on, whatever was seen before, in milliseconds since 1970. */
  earliest: number
  /** Whether all since then is looked at, and not only what is new. */
  thorough: boolean
  /** Milliseconds for which GitHub keeps a delivery. */
  kept: number
  /** Whether anybody handles it. */
  isHandled(event: string, action: string | undefined): boolean
  now: number
}

/** What a sweep found. */
export interface Found {
  /** From when on it looked. */
  from: number
  /** Deliveries that GitHub has sent since. */
  sent: number
  /** Not here, and nobody handles them: they are left alone. */
  unhandled: number
  /** How each gap stands now; those that are open can be asked for. */
  gaps: MissedDelivery[]
  /** Where the next sweep goes on. */
  position: number
}

const positionOf = (hookId: string): string => `recovery of hook ${hookId}`

/**
 * Compares what GitHub says that it sent with what the inbox holds. A delivery that failed and is not here is missed,
 * unless nobody handles it. It changes nothing; `keep` does.
 */
export async function look(plan: SweepPlan): Promise<Found> {
  const { inbox, log, hookId, earliest, thorough, isHandled, now } = plan
  const last = Number((await inbox.getValue(positionOf(hookId))) ?? 0)
  const from = thorough ? earliest : Math.max(last - overlap, earliest)
  const groups = new Map<string, Group>()
  let position = Math.max(last, earliest)
  for await (const attempts of log.since(from)) {
    for (const attempt of attempts) {
      add(groups, attempt)
      position = Math.max(position, attempt.deliveredAt)
    }
  }
  const before = (await inbox.missedDeliveries()).filter((gap) => gap.hookId === hookId)
  const known = new Map(before.map((gap) => [gap.guid, gap]))
  const open = before.filter(({ state }) => state === 'missed' || state === 'requested')
  const held = await heldOf(plan, [...groups.keys(), ...open.map(({ guid }) => guid)])
  const gaps = new Map<string, MissedDelivery>()
  let unhandled = 0
  for (const [guid, group] of groups) {
    const gap = known.get(guid) ?? newGap(plan, guid, group)
    const { id: deliveryId, status } = group.latest
    if (held.has(guid)) {
      if (known.has(guid)) gaps.set(guid, { ...gap, state: 'received' })
    } else if (!isHandled(group.first.event, group.first.action)) unhandled++
    else if (group.ok) gaps.set(guid, { ...gap, status, state: 'unrecorded' })
    else if (gap.expiresAt <= now) gaps.set(guid, { ...gap, state: 'expired' })
    else gaps.set(guid, failedAgain(gap, deliveryId) ? { ...gap, deliveryId, status, state: 'missed' } : gap)
  }
  for (const gap of open) {
    if (groups.has(gap.guid)) continue
    if (held.has(gap.guid)) gaps.set(gap.guid, { ...gap, state: 'received' })
    else if (gap.expiresAt <= now) gaps.set(gap.guid, { ...gap, state: 'expired' })
    else gaps.set(gap.guid, gap)
  }
  return { from, sent: groups.size, unhandled, gaps: [...gaps.values()], position }
}

/** Has the next sweep go on where this one came to. */
export async function keep({ inbox, hookId }: SweepPlan, { gaps, position }: Found): Promise<void> {
  await inbox.saveMissedDeliveries(gaps)
  await inbox.setValue(positionOf(hookId), String(position))
}

const failedAgain = (gap: MissedDelivery, deliveryId: number): boolean => gap.deliveryId !== deliveryId

/** The newest come first. */
function add(groups: Map<string, Group>, attempt: Attempt): void {
  const { latest, ok } = groups.get(attempt.guid) ?? { latest: attempt, ok: false }
  groups.set(attempt.guid, { first: attempt, latest, ok: ok || attempt.ok })
}

function newGap({ hookId, target, kept }: SweepPlan, guid: string, { first, latest }: Group): MissedDelivery {
  const { event, action, deliveredAt } = first
  return {
    ...{ hookId, guid, target, event, action, deliveredAt, deliveryId: latest.id, status: latest.status },
    ...{ state: 'missed', requests: 0, requestedAt: undefined, expiresAt: deliveredAt + kept },
  }
}

/** Those of the GUIDs that the inbox has. */
export async function heldOf(
  { inbox, source, hookId }: Pick<SweepPlan, 'inbox' | 'source' | 'hookId'>,
  guids: readonly string[],
): Promise<Set<string>> {
  const held = new Set<string>()
  for (let start = 0; start < guids.length; start += together) {
    const some = guids.slice(start, start + together)
    for (const guid of await inbox.knownGuids({ source, hookId, guids: some })) held.add(guid)
  }
  return held
}

import { type Gap, type GapRow, type GapState, gapOf, gapStates, type Sought } from '../inbox/gaps.ts'
import { identitiesOf, identityOf } from '../inbox/identity.ts'
import type { Connection } from './connection.ts'

/** Milliseconds for which a gap is kept that has been filled, or can be filled no more. */
const kept = 31 * 24 * 60 * 60 * 1000

/** Gaps that have ended, and are shown. */
const most = 20_000

/** Those of the GUIDs that are here, or were here and have been pruned. */
export function held(connection: Connection, { source, hookId, guids }: Sought): string[] {
  return guids.filter((guid) => {
    return (
      connection.get(selectHeld, ...identitiesOf(guid), guid, hookId) ??
      connection.get(selectTombstone, identityOf({ source, hookId, guid }))
    )
  })
}

/** Adds gaps, or says how they stand by now, in the transaction of the caller. */
export function noteGaps(connection: Connection, gaps: readonly Gap[]): void {
  for (const gap of gaps) {
    const { hookId, guid, target, event, action, deliveryId, deliveredAt, status, state, asked, askedAt } = gap
    const sent = [deliveryId, deliveredAt, status, state, asked, askedAt ?? null, gap.keptUntil]
    connection.run(upsertGap, hookId, guid, target, event, action ?? null, ...sent)
  }
}

/** The newest first. A sweep goes on with those that can still be filled: none of them may be left out. */
export function gaps(connection: Connection): Gap[] {
  return connection.all<GapRow>(selectGaps, most).map(gapOf)
}

export function countGaps(connection: Connection): Record<GapState, number> {
  const counts = Object.fromEntries(gapStates.map((state) => [state, 0])) as Record<GapState, number>
  for (const { state, count } of connection.all<{ state: GapState; count: number }>(selectCounts)) counts[state] = count
  return counts
}

export function deleteOldGaps(connection: Connection, now: number): void {
  connection.run(deleteGaps, now - kept)
}

/** Takes what only one may do at a time, or keeps it. @returns Whether it is the holder's until then. */
export function lease(connection: Connection, name: string, holder: string, ms: number, now: number): boolean {
  return connection.run(takeLease, name, holder, now + ms, now) > 0
}

const selectHeld = `
  select 1 from deliveries
  where identity between ? and ? and guid = ? and hook_id in (?, '')
  limit 1`

const selectTombstone = 'select 1 from tombstones where identity = ? limit 1'

const upsertGap = `
  insert into gaps
    (hook_id, guid, target, event, action, delivery_id, delivered_at, status, state, asked, asked_at, kept_until)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  on conflict (hook_id, guid) do update
  set delivery_id = excluded.delivery_id, status = excluded.status, state = excluded.state,
      asked = excluded.asked, asked_at = excluded.asked_at`

const selectGaps = `
  select * from gaps where state in ('missed', 'asked')
  union all
  select * from (
    select * from gaps where state not in ('missed', 'asked') order by delivered_at desc, guid limit ?)
  order by delivered_at desc, guid`

const selectCounts = 'select state, count(*) as count from gaps group by state'

const deleteGaps = 'delete from gaps where kept_until < ?'

/** Nobody else's that has not ended. */
const takeLease = `
  insert into leases (name, holder, until) values (?, ?, ?)
  on conflict (name) do update set holder = excluded.holder, until = excluded.until
  where holder = excluded.holder or until <= ?`

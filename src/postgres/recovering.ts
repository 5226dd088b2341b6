import { type Gap, type GapRow, type GapState, gapOf, gapStates, type Sought } from '../inbox/gaps.ts'
import { identitiesOf, identityOf } from '../inbox/identity.ts'
import { recordset, type Sql } from './connection.ts'
import type { Transaction } from './transaction.ts'

/** Milliseconds for which a gap is kept that has been filled, or can be filled no more. */
const kept = 31 * 24 * 60 * 60 * 1000

/** Gaps that have ended, and are shown. */
const most = 20_000

/** Those of the GUIDs that are here, or were here and have been pruned. */
export async function held(sql: Sql, { source, hookId, guids }: Sought): Promise<string[]> {
  const ranges = guids.map(identitiesOf)
  const rows = await sql.all<{ place: number }>(
    selectHeld,
    guids,
    ranges.map(([first]) => first),
    ranges.map(([, last]) => last),
    guids.map((guid) => identityOf({ source, hookId, guid })),
    hookId,
  )
  return rows.map(({ place }) => guids[place - 1] as string)
}

/** Adds gaps, or says how they stand by now, in the transaction of the caller. */
export async function noteGaps(session: Transaction, gaps: readonly Gap[]): Promise<void> {
  const rows = new Map(gaps.map((gap) => [JSON.stringify([gap.hookId, gap.guid]), gap])) // of each what was said last
  await session.run(upsertGaps, recordset([...rows.values()]))
}

/** The newest first. A sweep goes on with those that can still be filled: none of them may be left out. */
export async function gaps(sql: Sql): Promise<Gap[]> {
  return (await sql.all<GapRow>(selectGaps, most)).map(gapOf)
}

export async function countGaps(sql: Sql): Promise<Record<GapState, number>> {
  const counts = Object.fromEntries(gapStates.map((state) => [state, 0])) as Record<GapState, number>
  for (const { state, count } of await sql.all<{ state: GapState; count: number }>(selectCounts)) counts[state] = count
  return counts
}

export async function deleteOldGaps(session: Transaction, now: number): Promise<void> {
  await session.run(deleteGaps, now - kept)
}

/**
 * Takes what only one may do at a time, or keeps it, by the clock of the database: those of machines differ.
 * @returns Whether it is the holder's until then.
 */
export async function lease(session: Transaction, name: string, holder: string, ms: number): Promise<boolean> {
  return (await session.run(takeLease, name, holder, ms)) > 0
}

/** Of a GUID there are few. */
const selectHeld = `
  select place
  from unnest($1::text[], $2::bytea[], $3::bytea[], $4::bytea[])
    with ordinality as sought (guid, first, last, identity, place)
  where exists (
      select 1 from deliveries
      where deliveries.identity between sought.first and sought.last
        and deliveries.guid = sought.guid and deliveries.hook_id in ($5, ''))
    or exists (select 1 from tombstones where tombstones.identity = sought.identity)
  order by place`

/** In one order, so that no two transactions wait for each other. */
const upsertGaps = `
  insert into gaps
    (hook_id, guid, target, event, action, delivery_id, delivered_at, status, state, asked, asked_at, kept_until)
  select "hookId", guid, target, event, action, "deliveryId", "deliveredAt", status, state, asked, "askedAt", "keptUntil"
  from json_to_recordset($1::json) as told (
    "hookId" text, guid text, target text, event text, action text, "deliveryId" bigint, "deliveredAt" bigint,
    status text, state text, asked int, "askedAt" bigint, "keptUntil" bigint)
  order by 1, 2
  on conflict (hook_id, guid) do update
  set delivery_id = excluded.delivery_id, status = excluded.status, state = excluded.state,
      asked = excluded.asked, asked_at = excluded.asked_at`

const selectGaps = `
  select * from gaps where state in ('missed', 'asked')
  union all
  (select * from gaps where state not in ('missed', 'asked') order by delivered_at desc, guid limit $1)
  order by delivered_at desc, guid`

const selectCounts = 'select state, count(*) as count from gaps group by state'

const deleteGaps = 'delete from gaps where kept_until < $1'

/** Nobody else's that has not ended. */
const takeLease = `
  insert into leases (name, holder, until)
  values ($1, $2, clock_timestamp() + $3::float8 * interval '1 millisecond')
  on conflict (name) do update set holder = excluded.holder, until = excluded.until
  where leases.holder = excluded.holder or leases.until <= clock_timestamp()`

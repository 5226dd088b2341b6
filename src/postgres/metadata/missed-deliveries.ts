import { identitiesOf } from '../../inbox/identity.ts'
import {
  expiryMargin,
  type GuidLookup,
  type MissedDelivery,
  type MissedDeliveryCounts,
  type MissedDeliveryRow,
  maxEndedMissedDeliveries,
  missedDeliveryAge,
  missedDeliveryOf,
  missedDeliveryStates,
  rowOfMissedDelivery,
} from '../../inbox/missed-deliveries.ts'
import { sumByState } from '../../inbox/states.ts'
import { recordset, type Sql } from '../connection/connection.ts'
import type { Transaction } from '../connection/database.ts'

/**
 * Of the given GUIDs, those of a delivery, or of the tombstone of a delivery, that is from the given webhook or has no
 * hook id. The source and the secret id, on which identities also depend, are unknown here.
 */
export async function knownGuids(sql: Sql, { hookId, guids }: GuidLookup): Promise<string[]> {
  const ranges = guids.map(identitiesOf)
  const [firsts, lasts] = [ranges.map(([first]) => first), ranges.map(([, last]) => last)]
  const rows = await sql.all<{ place: number }>(selectKnown, guids, firsts, lasts, hookId)
  return rows.map(({ place }) => guids[place - 1] as string)
}

/** Inserts missed deliveries, or updates those that exist, in the caller's transaction. */
export async function saveMissedDeliveries(
  transaction: Transaction,
  missedDeliveries: readonly MissedDelivery[],
): Promise<void> {
  // An upsert cannot change a row twice, so the last one of several duplicates counts.
  const rows = new Map(missedDeliveries.map((missed) => [JSON.stringify([missed.hookId, missed.guid]), missed]))
  await transaction.run(upsertMissedDeliveries, recordset([...rows.values()].map(rowOfMissedDelivery)))
}

/** Missed deliveries, newest first: all that are `missed` or `requested`, and the newest of the others. */
export async function missedDeliveries(sql: Sql): Promise<MissedDelivery[]> {
  return (await sql.all<MissedDeliveryRow>(selectMissedDeliveries, maxEndedMissedDeliveries)).map(missedDeliveryOf)
}

export async function countMissedDeliveries(sql: Sql): Promise<MissedDeliveryCounts> {
  return sumByState(missedDeliveryStates, await sql.all(selectCounts))
}

export async function expireMissedDeliveries(transaction: Transaction, now: number): Promise<void> {
  await transaction.run(setExpired, now - expiryMargin)
}

export async function deleteOldMissedDeliveries(transaction: Transaction, now: number): Promise<void> {
  await transaction.run('delete from missed_deliveries where expires_at < $1', now - missedDeliveryAge)
}

/** When the inbox was created. */
export async function createdAt(sql: Sql): Promise<number> {
  return (await sql.get<{ created_at: number }>('select created_at from inbox_info'))?.created_at ?? 0
}

/** Looks up a GUID by the range of its identities, in which there are few deliveries and tombstones. */
const selectKnown = `
  select place
  from unnest($1::text[], $2::bytea[], $3::bytea[]) with ordinality as input (guid, first, last, place)
  where exists (
      select 1 from deliveries
      where deliveries.identity between input.first and input.last
        and deliveries.guid = input.guid and deliveries.hook_id in ($4, ''))
    or exists (
      select 1 from tombstones
      where tombstones.identity between input.first and input.last and tombstones.hook_id in ($4, ''))
  order by place`

/** In a fixed order, so that two transactions cannot deadlock. */
const upsertMissedDeliveries = `
  insert into missed_deliveries
  select * from json_populate_recordset(null::missed_deliveries, $1::json)
  order by hook_id, guid
  on conflict (hook_id, guid) do update
  set delivery_id = excluded.delivery_id, status = excluded.status, state = excluded.state,
      requests = excluded.requests, requested_at = excluded.requested_at,
      expires_at = excluded.expires_at`

/** In a database that was created before the first release, the ids are integers of 64 bits. */
const columns = `
  hook_id, guid, target, event, action, delivery_id::text, delivered_at, status, state, requests, requested_at,
  expires_at`

const selectMissedDeliveries = `
  select ${columns} from missed_deliveries where state in ('missed', 'requested')
  union all
  (select ${columns} from missed_deliveries where state not in ('missed', 'requested') order by delivered_at desc, guid limit $1)
  order by delivered_at desc, guid`

/** Skips rows that a sweep is changing, because the two transactions could deadlock. */
const setExpired = `
  update missed_deliveries set state = 'expired'
  where ctid = any(array(
    select ctid from missed_deliveries
    where expires_at < $1 and state in ('missed', 'requested')
    for update skip locked))`

const selectCounts = 'select state, count(*) as count from missed_deliveries group by state'

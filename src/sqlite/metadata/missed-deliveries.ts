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
} from '../../inbox/missed-deliveries.ts'
import { sumByState } from '../../inbox/states.ts'
import type { Connection } from '../connection/connection.ts'

/**
 * Of the given GUIDs, those of a delivery, or of the tombstone of a delivery, that is from the given webhook or has no
 * hook id. The source and the secret id, on which identities also depend, are unknown here.
 */
export function knownGuids(connection: Connection, { hookId, guids }: GuidLookup): string[] {
  return guids.filter((guid) => {
    const range = identitiesOf(guid)
    return connection.get(selectKnown, ...range, guid, hookId) ?? connection.get(selectTombstone, ...range, hookId)
  })
}

/** Inserts missed deliveries, or updates those that exist, in the caller's transaction. */
export function saveMissedDeliveries(connection: Connection, missedDeliveries: readonly MissedDelivery[]): void {
  for (const missed of missedDeliveries) {
    connection.run(
      upsertMissedDelivery,
      missed.hookId,
      missed.guid,
      missed.target,
      missed.event,
      missed.action ?? null,
      missed.deliveryId,
      missed.deliveredAt,
      missed.status,
      missed.state,
      missed.requests,
      missed.requestedAt ?? null,
      missed.expiresAt,
    )
  }
}

/** Missed deliveries, newest first: all that are `missed` or `requested`, and the newest of the others. */
export function missedDeliveries(connection: Connection): MissedDelivery[] {
  return connection.all<MissedDeliveryRow>(selectMissedDeliveries, maxEndedMissedDeliveries).map(missedDeliveryOf)
}

export function countMissedDeliveries(connection: Connection): MissedDeliveryCounts {
  return sumByState(missedDeliveryStates, connection.all(selectCounts))
}

export function expireMissedDeliveries(connection: Connection, now: number): void {
  connection.run(setExpired, now - expiryMargin)
}

export function deleteOldMissedDeliveries(connection: Connection, now: number): void {
  connection.run(deleteOld, now - missedDeliveryAge)
}

/** When the inbox was created. */
export function createdAt(connection: Connection): number {
  return connection.get<{ created_at: number }>('select created_at from inbox_info')?.created_at ?? 0
}

const selectKnown = `
  select 1 from deliveries where identity between ? and ? and guid = ? and hook_id in (?, '') limit 1`
const selectTombstone = `
  select 1 from tombstones where identity between ? and ? and hook_id in (?, '') limit 1`

const upsertMissedDelivery = `
  insert into missed_deliveries
    (hook_id, guid, target, event, action, delivery_id, delivered_at, status, state, requests, requested_at, expires_at)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  on conflict (hook_id, guid) do update
  set delivery_id = excluded.delivery_id, status = excluded.status, state = excluded.state,
      requests = excluded.requests, requested_at = excluded.requested_at,
      expires_at = excluded.expires_at`

/** In a file that was created before the first release, the ids are integers of 64 bits. */
const columns = `
  hook_id, guid, target, event, action, cast(delivery_id as text) as delivery_id, delivered_at, status, state, requests,
  requested_at, expires_at`

const selectMissedDeliveries = `
  select ${columns} from missed_deliveries where state in ('missed', 'requested')
  union all
  select * from (
    select ${columns} from missed_deliveries where state not in ('missed', 'requested') order by delivered_at desc, guid limit ?)
  order by delivered_at desc, guid`

const selectCounts = 'select state, count(*) as count from missed_deliveries group by state'
const setExpired = `
  update missed_deliveries set state = 'expired' where expires_at < ? and state in ('missed', 'requested')`
const deleteOld = 'delete from missed_deliveries where expires_at < ?'

import { tombstoneAge } from '../../inbox/identity.ts'
import type { DeliveryState } from '../../inbox/records.ts'
import { hasEnded, prunedStates } from '../../inbox/states.ts'
import { idsOf, type Sql } from '../connection/connection.ts'
import type { Transaction } from '../connection/database.ts'
import { deleteOldChanges } from '../delivery-reader/changes.ts'
import { latest, rangeOf } from '../delivery-reader/conditions.ts'
import { foldStateCounts, statesOf } from '../delivery-reader/states.ts'
import { packOf } from '../delivery-store/contents.ts'
import { deleteOldMissedDeliveries, expireMissedDeliveries } from '../metadata/missed-deliveries.ts'
import { deleteOldCounts } from '../metadata/statistics.ts'
import { resolveFailureGroups } from '../task-queue/failure-groups.ts'

/** Maximum deliveries that one transaction deletes. */
const batchSize = 1000

/**
 * One pruning transaction deletes at most this many old tombstones, this many old acks of stored batches, and this many
 * old acks of imports. The limit is higher than `batchSize`, and each pruned delivery leaves at most one tombstone and
 * one ack, so neither accumulates.
 */
const maxSmallRows = 5000

/** The number of deliveries of each state that a batch examines behind younger ones. */
const examinedBehind = batchSize / prunedStates.length

/**
 * By state, the id behind which the next batch looks for old deliveries if the deliveries with the lowest ids are young:
 * imported deliveries have higher ids than deliveries that arrived before the import, but may be older.
 */
export type PruneCursor = Map<DeliveryState, number>

/** Prunes batches until one finds nothing to delete. @returns the number of deleted deliveries. */
export async function pruneAll(batch: () => Promise<number>): Promise<number> {
  let pruned = 0
  for (;;) {
    const deleted = await batch()
    if (deleted === 0) return pruned
    pruned += deleted
  }
}

/**
 * Deletes one batch of ended deliveries that are older than `age` milliseconds. Skips rows that other transactions have
 * locked. Also deletes old tombstones, acknowledgements, changes, counts and missed deliveries, expires missed
 * deliveries, and folds `state_counts`. If there is nothing left to delete, it resolves failure groups.
 * @returns the number of deleted deliveries.
 */
export async function pruneBatch(
  transaction: Transaction,
  age: number,
  now: number,
  cursor: PruneCursor = new Map(),
): Promise<number> {
  await transaction.run(deleteTombstones, now - tombstoneAge, maxSmallRows)
  await transaction.run(deleteAcks, now - age, maxSmallRows)
  await deleteOldChanges(transaction)
  await deleteOldCounts(transaction, now)
  await expireMissedDeliveries(transaction, now)
  await deleteOldMissedDeliveries(transaction, now)
  await foldStateCounts(transaction)
  const oldest = await transaction.all<{ id: number }>(selectOldest, now, now - age)
  const expired = oldest.length > 0 ? idsOf(oldest) : await expiredBehind(transaction, age, now, cursor)
  const locked = await transaction.all<{ id: number; pack: number }>(lockOld, expired)
  const states = await statesOf(transaction, idsOf(locked))
  const old = locked.filter(({ id }) => hasEnded(states.get(id) as DeliveryState))
  if (old.length === 0) {
    await resolveFailureGroups(transaction, now)
    return 0
  }
  const ids = idsOf(old)
  for (const table of ['tasks', 'attempts'])
    await transaction.run(`delete from ${table} where delivery_id = any($1::bigint[])`, ids)
  const packs = [...new Set(old.map(({ pack }) => pack))]
  await transaction.run(writeTombstones, ids, now)
  await transaction.run(lockPacks, packs)
  await transaction.run(deletePacks, packs)
  return ids.length
}

/** Examines the next deliveries of each state. Then continues behind them, or begins again if there are none. */
async function expiredBehind(sql: Sql, age: number, now: number, cursor: PruneCursor): Promise<number[]> {
  const after = prunedStates.map((state) => cursor.get(state) ?? 0)
  type Examined = { state: DeliveryState; id: number; received_at: number }
  const examined = await sql.all<Examined>(selectBehind, now, after)
  cursor.clear()
  for (const { state, id } of examined) cursor.set(state, id)
  return idsOf(examined.filter(({ received_at }) => received_at < now - age))
}

/** Skips deliveries with a time in the future, which a wrong clock has set: they must not fill the batch. */
const oldestOf = (state: DeliveryState) => `
  (select id, received_at from deliveries
   where ${rangeOf('state', `'${state}'`, latest)} and received_at <= $1
   order by state, id
   limit ${batchSize})`

/** A range of the index on state and id, as in `rangeOf`. $2 has the cursor of each state. */
const nextOf = (state: DeliveryState, index: number) => `
  (select state, id, received_at from deliveries
   where (state, id) > ('${state}', ($2::bigint[])[${index + 1}]) and (state, id) <= ('${state}', ${latest})
     and received_at <= $1
   order by state, id
   limit ${examinedBehind})`

/** Checks only the deliveries with the lowest ids of each state. Usually, all others are younger. */
const selectOldest = `
  select id from (${prunedStates.map(oldestOf).join(' union all ')}) as oldest where received_at < $2 limit ${batchSize}`

const selectBehind = prunedStates.map(nextOf).join(' union all ')

const lockOld = `
  select id, ${packOf('deliveries')} as pack from deliveries
  where id = any($1::bigint[])
  order by id
  for update skip locked`

/**
 * If two transactions delete the last deliveries of a pack, the second waits here until the first has committed. Then
 * the second sees that no delivery is left, and deletes the pack.
 */
const lockPacks = 'select 1 from contents where delivery_id = any($1::bigint[]) order by delivery_id for update'

/** Of these packs, deletes those that no delivery refers to. */
const deletePacks = `
  delete from contents
  where delivery_id = any($1::bigint[]) and not exists (
    select 1 from deliveries
    where id between contents.delivery_id and coalesce(contents.last, contents.delivery_id)
      and ${packOf('deliveries')} = contents.delivery_id)`

/** In the order of identities, as in `store.ts`, so that no two transactions wait for each other. */
const writeTombstones = `
  with gone as (
    delete from deliveries where id = any($1::bigint[])
    returning identity, hook_id, variant, sha256, state, pulled
  )
  insert into tombstones (identity, hook_id, variant, sha256, state, pulled, pruned_at)
  select identity, hook_id, variant, sha256, state, pulled, $2 from gone order by identity, variant
  on conflict (identity, variant) do update
  set sha256 = excluded.sha256, state = excluded.state, pulled = excluded.pulled, pruned_at = excluded.pruned_at`

const deleteTombstones = `
  delete from tombstones
  where ctid = any(array(
    select ctid from tombstones where pruned_at < $1 order by pruned_at limit $2 for update skip locked))`

/**
 * Deletes old acks. Examines only the acks that were written first. Their batch numbers are nearest to 0: the batch
 * numbers of imported deliveries are negative and decrease, and all others are positive and increase.
 */
const deleteAcks = `
  delete from acks
  where batch in (
    select batch
    from (
      (select batch, at from acks where batch >= 0 order by batch limit $2)
      union all
      (select batch, at from acks where batch < 0 order by batch desc limit $2)
    ) as oldest
    where at < $1)`

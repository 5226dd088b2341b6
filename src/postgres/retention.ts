import type { DeliveryState } from '../inbox/records.ts'
import { deleteOldChanges } from './changes.ts'
import { latest, rangeOf } from './conditions.ts'
import type { Session } from './connection.ts'
import { deleteOldCounts } from './metadata.ts'
import { deleteOldGaps } from './recovering.ts'
import { foldStateCounts } from './state-counts.ts'

/** Milliseconds for which GitHub may send again what was pruned: a day longer than an Enterprise Server keeps it. */
const tombstoneAge = 8 * 24 * 60 * 60 * 1000

/** Deliveries that are deleted in one transaction. */
const batchSize = 1000

/** Tombstones, and acks, that are deleted in one transaction: more than are added while a batch is. */
const maxSmallRows = 5000

/** States that may be pruned. */
const endStates = ['done', 'ignored', 'discarded', 'dead'] as const satisfies DeliveryState[]

/** Deletes batch after batch, until one finds nothing. @returns how many deliveries. */
export async function pruneAll(batch: () => Promise<number>): Promise<number> {
  let pruned = 0
  for (;;) {
    const deleted = await batch()
    if (deleted === 0) return pruned
    pruned += deleted
  }
}

/**
 * Deletes one batch of what ended and is older than is kept, in the transaction of the caller. What others hold is left
 * to the next batch: nobody waits for anybody.
 * @param age Milliseconds for which what ended is kept.
 * @returns How many deliveries.
 */
export async function pruneBatch(session: Session, age: number, now: number): Promise<number> {
  await session.run(deleteTombstones, now - tombstoneAge, maxSmallRows)
  await session.run(deleteAcks, now - age, maxSmallRows)
  await deleteOldChanges(session)
  await deleteOldCounts(session, now)
  await deleteOldGaps(session, now)
  await foldStateCounts(session)
  const old = await session.all<{ id: number }>(selectOld, now, now - age)
  if (old.length === 0) return 0
  const ids = old.map(({ id }) => id)
  for (const table of ['contents', 'tasks', 'attempts'] as const) await session.run(deleteOf(table), ids)
  await session.run(writeTombstones, ids, now)
  return ids.length
}

/** What a clock that was wrong has stamped with the future must not hide what is old behind it. */
const selectOldest = (state: DeliveryState) => `
  (select id, received_at from deliveries
   where ${rangeOf('state', `'${state}'`, latest)} and received_at <= $1
   order by state, id
   limit ${batchSize})`

/** The oldest by their ids are looked at, and no more: those that came in later are younger, or will be the oldest one day. */
const selectOld = `
  with old as materialized (
    select id from (${endStates.map(selectOldest).join(' union all ')}) as oldest where received_at < $2 limit ${batchSize}
  )
  select id from deliveries
  where id in (select id from old) and state in ('${endStates.join("', '")}')
  order by id
  for update skip locked`

const deleteOf = (table: 'contents' | 'tasks' | 'attempts') => `
  delete from ${table} where delivery_id = any($1::bigint[])`

/** In the order in which others store them, so that no two transactions wait for each other. */
const writeTombstones = `
  with gone as (
    delete from deliveries where id = any($1::bigint[])
    returning identity, variant, sha256, state, recovered
  )
  insert into tombstones (identity, variant, sha256, state, recovered, pruned_at)
  select identity, variant, sha256, state, recovered, $2 from gone order by identity, variant
  on conflict (identity, variant) do update
  set sha256 = excluded.sha256, state = excluded.state, recovered = excluded.recovered, pruned_at = excluded.pruned_at`

const deleteTombstones = `
  delete from tombstones
  where ctid = any(array(
    select ctid from tombstones where pruned_at < $1 order by pruned_at limit $2 for update skip locked))`

/** The oldest: in the order in which they were committed; and of what came from another inbox, in that of its ids. */
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

import { tombstoneAge } from '../../inbox/identity.ts'
import { clockTolerance } from '../../inbox/processes.ts'
import type { DeliveryState } from '../../inbox/records.ts'
import { prunedStates } from '../../inbox/states.ts'
import { type Connection, writeTransaction } from '../connection/connection.ts'
import { deleteOldChanges } from '../delivery-reader/changes.ts'
import { deleteEmptied } from '../delivery-store/packs.ts'
import { deleteOldMissedDeliveries, expireMissedDeliveries } from '../metadata/missed-deliveries.ts'
import { deleteOldCounts } from '../metadata/statistics.ts'
import { scheduledHandlers, updateDeliveryState } from '../task-queue/tasks.ts'

/** The limits that pruning enforces. */
export interface Retention {
  /** How long a delivery that has ended is kept, in milliseconds since it was received. */
  age: number
  /** Maximum bytes of the file. */
  size: number
}

/** Maximum deliveries that one transaction deletes, so that other writers do not wait for long. */
const batchSize = 100

/**
 * While more than this share of `size` is in use, ended deliveries are pruned before they reach `age`, to keep room for
 * new ones.
 */
const fullShare = 0.9

interface ExpiredDelivery {
  id: number
  received_at: number
  pack: number
  identity: Uint8Array
  hook_id: string
  variant: number
  sha256: Uint8Array
  state: DeliveryState
  pulled: number
}

/**
 * By state, the id behind which the next batch looks for old deliveries if the deliveries with the lowest ids are young:
 * imported deliveries have higher ids than deliveries that arrived before the import, but may be older.
 */
export type PruneCursor = Map<DeliveryState, number>

/**
 * Deletes one batch of ended deliveries that are older than `age`, or of any age if the file is nearly full. Also
 * deletes old tombstones, changes, counts and missed deliveries, and expires missed deliveries. @returns the number of
 * deleted deliveries.
 */
export function pruneBatch(
  connection: Connection,
  { age, size }: Retention,
  now: number,
  cursor: PruneCursor = new Map(),
): number {
  connection.run(deleteTombstones, now - tombstoneAge)
  deleteOldChanges(connection)
  deleteOldCounts(connection, now)
  expireMissedDeliveries(connection, now)
  deleteOldMissedDeliveries(connection, now)
  const tooLarge = isNearlyFull(connection, size)
  const isExpired = ({ received_at }: ExpiredDelivery): boolean => received_at < now - age
  const old: ExpiredDelivery[] = []
  for (const state of prunedStates) {
    const endedAfter = (id: number): ExpiredDelivery[] => {
      return connection.all<ExpiredDelivery>(selectEnded, state, id, now, batchSize - old.length)
    }
    const oldest = endedAfter(0)
    const expired = tooLarge ? oldest : oldest.filter(isExpired)
    if (expired.length === 0) {
      const next = endedAfter(cursor.get(state) ?? 0)
      cursor.set(state, next.at(-1)?.id ?? 0) // 0: begins again
      expired.push(...next.filter(isExpired))
    }
    old.push(...expired)
    if (old.length >= batchSize) break
  }
  for (const { id } of old) {
    connection.run(deleteDelivery, id)
    connection.run(deleteTasks, id)
    connection.run(deleteAttempts, id)
  }
  deleteEmptied(connection, new Set(old.map(({ pack }) => pack)))
  for (const { identity, hook_id, variant, sha256, state, pulled } of old) {
    // After the deletes, which make room in a full file.
    connection.run(insertTombstone, identity, hook_id, variant, sha256, state, pulled, now)
  }
  return old.length
}

/** Whether so much of `size` is in use that deliveries are pruned before they reach their maximum age. */
export function isNearlyFull(connection: Connection, size: number): boolean {
  return size !== Number.MAX_SAFE_INTEGER && connection.usedBytes() > fullShare * size
}

/**
 * Corrects the times that were computed before the clock was set back: makes a task due if it would wait for longer
 * than its delay. Locks the file only if it finds such a task, because the search reads all tasks that wait.
 */
export function correctClockSkew(connection: Connection, now: number): void {
  const latest = now + clockTolerance
  const skewed = [...scheduledHandlers(connection)].flatMap((handler) => {
    return connection.all<{ id: number; handler: string }>(selectSkewed, handler, latest, latest)
  })
  if (skewed.length === 0) return
  writeTransaction(connection, () => {
    for (const { id, handler } of skewed) {
      if (connection.run(makeDue, now, id, handler, latest, latest) > 0) updateDeliveryState(connection, id)
    }
  })
}

const deleteTasks = 'delete from tasks where delivery_id = ?'
const deleteAttempts = 'delete from attempts where delivery_id = ?'
const deleteDelivery = 'delete from deliveries where id = ?'
const deleteTombstones = 'delete from tombstones where pruned_at < ?'

/** Skips deliveries with a time in the future, which a wrong clock has set: they must not fill the batch. */
const selectEnded = `
  select id, received_at, pack, identity, hook_id, variant, sha256, state, pulled from deliveries
  where state = ? and id > ? and received_at <= ?
  order by id
  limit ?`

const insertTombstone = `
  insert or replace into tombstones (identity, hook_id, variant, sha256, state, pulled, pruned_at)
  values (?, ?, ?, ?, ?, ?, ?)`

const selectSkewed = `
  select delivery_id as id, handler from tasks where handler = ? and next_at > ? and next_at - delay > ? limit 1000`
const makeDue = `
  update tasks set next_at = ?, delay = null
  where delivery_id = ? and handler = ? and next_at > ? and next_at - delay > ?`

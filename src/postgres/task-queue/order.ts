/**
 * Order of tasks with a key. The unfinished tasks of one handler with the same key form a queue, identified by an order
 * hash. Only the first task of a queue, in order of receipt, may run, and only while no other task of the queue is
 * running: a retry can put an older task in front of a newer one that is running. The other tasks are blocked: they
 * have no `next_at`. When a transaction ends a task of a queue, or an attempt of a task, it makes the first
 * task of the queue due if that task is blocked.
 */

import type { ClaimedTask } from '../../inbox/task-queue.ts'
import { hash } from '../../runtime/recent-node.ts'
import { recordset } from '../connection/connection.ts'
import type { Transaction } from '../connection/database.ts'
import { selectRunning } from '../delivery-reader/states.ts'
import { passesOf } from './fairness.ts'

/** Identifies a queue. 48 bits: small in an index, and exact as a JavaScript number. */
export function orderHash(handler: string, key: string | undefined): number | null {
  return key === undefined ? null : hash('sha256', JSON.stringify([handler, key]), 'buffer').readUIntBE(0, 6)
}

/** Each hash once, without `null`. */
export function distinctHashes(hashes: readonly (number | null)[]): number[] {
  return [...new Set(hashes)].filter((hash) => hash !== null)
}

/** Locks queues until the transaction ends. A transaction calls this function or `lockOrderKeysOf`, and only once. */
export async function lockOrderKeys(transaction: Transaction, hashes: readonly number[]): Promise<void> {
  if (hashes.length > 0) await transaction.run(lockBuckets(givenHashes), hashes)
}

/** Locks the queues of all tasks of deliveries. The caller has locked the rows of the deliveries. */
export async function lockOrderKeysOf(transaction: Transaction, ids: readonly number[]): Promise<void> {
  await transaction.run(lockBuckets(hashesOfDeliveries), ids)
}

/** Which tasks of locked queues may run. */
export class OrderQueues {
  readonly #queues: Map<number, QueueRow>

  private constructor(rows: readonly QueueRow[]) {
    this.#queues = new Map(rows.map((row) => [row.order_hash, row]))
  }

  static async of(transaction: Transaction, hashes: readonly number[]): Promise<OrderQueues> {
    return new OrderQueues(hashes.length > 0 ? await transaction.all(selectQueues(givenHashes), hashes) : [])
  }

  /** The queues of all tasks of deliveries. */
  static async ofDeliveries(transaction: Transaction, ids: readonly number[]): Promise<OrderQueues> {
    return new OrderQueues(await transaction.all(selectQueues(hashesOfDeliveries), ids))
  }

  /**
   * Whether a task may run: it has no order key, or it is first in its queue and no other task of the queue runs. If
   * the task may run, this object remembers the task as the first of its queue. If `runs` is true, this object also
   * remembers the task as running. Later calls use both facts.
   */
  takeTurn(hash: number | null, id: number, runs: boolean): boolean {
    const queue = hash === null ? undefined : this.#queues.get(hash)
    if (!queue) return true
    const isFirst = id <= (queue.first ?? id) && (queue.running === null || queue.running === id)
    if (isFirst) queue.first = id
    if (isFirst && runs) queue.running = id
    return isFirst
  }
}

interface QueueRow {
  order_hash: number
  first: number | null
  running: number | null
}

/**
 * For each queue with a task of these deliveries, makes the first task of the queue due if it is blocked. It is not due
 * before its `start_at`. The caller has locked the queues.
 */
export async function promoteNext(transaction: Transaction, ids: readonly number[]): Promise<void> {
  if ((await transaction.run(promoteFirst, ids)) > 0) transaction.due = true
}

/** A task whose attempt has ended. Its worker can run the next task of the queue instead. */
export interface FinishedPlace {
  id: number
  handler: string
  /** The number of the attempt. */
  ended: number
  worker: number
  /** Maximum bytes of the body of the next task. If the body is larger, the task is not claimed. */
  bytes: number
  /** If the next task is of another source, it is not claimed. Default: all sources. */
  sources?: readonly string[] | undefined
  /** Whether the next task is claimed ahead. */
  ahead: boolean
  now: number
  /**
   * The index of the attempt's result in the call of `finish`. `claimNextTasks` returns the index with the task that it
   * claims, so that `finish` can add the task to the answer for this result.
   */
  place: number
}

/**
 * For each task whose attempt this transaction has ended, claims the first task of its queue for the same worker, if that
 * task is blocked. The caller has locked the queues. This saves the transaction that would otherwise claim the task.
 * An ignored result claims nothing: another task of its queue may run.
 *
 * Leaves the first task to `promoteNext` in seven cases: the worker was removed, the handler is paused, the task starts
 * later, it may be a suspect, the body is too large, the worker does not handle the source of the delivery, or another
 * transaction has locked the delivery. In the last case, this function does not wait, because a transaction that holds
 * a queue never waits for a delivery.
 *
 * A repeated call returns the tasks that the first call claimed.
 */
export async function claimNextTasks(
  transaction: Transaction,
  places: readonly FinishedPlace[],
): Promise<(ClaimedTask & { place: number })[]> {
  if (places.length === 0) return []
  const rows = await transaction.all<PromotedTask>(claimPromoted, recordset(places))
  return rows.map(({ uncounted, ...task }) => ({ ...task, ...(uncounted > 0 && { uncounted }) }))
}

type PromotedTask = ClaimedTask & { place: number; uncounted: number }

const givenHashes = '(select order_hash from unnest($1::bigint[]) as order_hash)'

const hashesOfDeliveries =
  '(select distinct order_hash from tasks where delivery_id = any($1::bigint[]) and order_hash is not null)'

/**
 * The number of advisory locks of an inbox. Its queues are divided into as many buckets, and a transaction locks the
 * buckets of its queues. All transactions of a server share one table of locks, with room for about 7,000 of them by
 * default. A transaction with 100 deliveries of 120 ordered handlers would fill this table with a lock for each queue.
 */
export const lockCount = 1024

/**
 * Locks buckets in the same order in every transaction, so that no two transactions wait for each other. Another inbox
 * in the same database has other locks.
 *
 * A transaction waits for a lock for at most 4 s. This is less than 5 s, the time after which PostgreSQL ends an idle
 * transaction. The difference matters if a process is suspended (SIGSTOP) while it has two transactions: the first one
 * holds a lock, and the second one waits for this lock. After 4 s, the second transaction fails. After 5 s, PostgreSQL
 * ends the first transaction, which releases the lock for the workers of other processes. If the second transaction
 * still waited, it would get the lock. It would idle as well, and block the other workers for another 5 s.
 */
const lockBuckets = (hashes: string) => `
  with bounded as materialized (
    select set_config('lock_timeout', '4s', true)
  ), buckets as materialized (
    select distinct (order_hash % ${lockCount})::int as bucket from ${hashes} as input order by bucket
  )
  select pg_advisory_xact_lock(hashtext('hookserver order ' || current_schema()), bucket) from bounded, buckets`

const unfinished = "state in ('pending', 'running', 'retrying')"

/**
 * For `with`: the queues whose tasks run. Reads all running tasks, because they are few, and a queue without one may have
 * very many tasks.
 */
export const runningQueues = `
  running as materialized (
    select order_hash, delivery_id from (${selectRunning}) as tasks where order_hash is not null
  )`

const selectQueues = (hashes: string) => `
  with ${runningQueues}
  select
    order_hash,
    (select delivery_id from tasks
     where tasks.order_hash = input.order_hash and ${unfinished}
     order by delivery_id limit 1) as first,
    running
  from ${hashes} as input
  left join (select order_hash, min(delivery_id) as running from running group by order_hash) as held using (order_hash)`

/** Finds the tasks by `ctid`, so that PostgreSQL reads no other tasks, even if the table is not analyzed yet. */
const promoteFirst = `
  with firsts as materialized (
    select first.*
    from ${hashesOfDeliveries} as input, lateral (
      select ctid as row, delivery_id, handler, fair_key, state, next_at, start_at is null as ready from tasks
      where tasks.order_hash = input.order_hash and ${unfinished}
      order by delivery_id
      limit 1) as first
    where first.state = 'pending' and first.next_at is null
  ), ${passesOf('firsts')}
  update tasks
  set next_at = coalesce(start_at, 0), pass = passes.pass
  from passes
  where tasks.ctid = any(array(select row from firsts)) and tasks.ctid = passes.row
    and tasks.state = 'pending' and tasks.next_at is null`

/**
 * Claims nothing for a worker that has been removed. `key share` locks the rows of the remaining workers, so that no
 * transaction removes them before the commit.
 *
 * A result that this transaction has recorded is not repeated, so only other results look for a task that an earlier call
 * has claimed: this reads all tasks of a queue.
 */
const claimPromoted = `
  with input as materialized (
    select * from json_to_recordset($1::json) as input (
      id bigint, handler text, ended int, worker bigint, bytes bigint, sources text[], ahead boolean, now bigint, place int)
  ), places as materialized (
    select
      input.*, tasks.order_hash,
      (select true from attempts
       where attempts.delivery_id = input.id and attempts.handler = input.handler and attempts.number = input.ended
         and attempts.xmin = pg_current_xact_id()::xid) as recorded -- not "exists": it may read the whole table
    from input join tasks on tasks.delivery_id = input.id and tasks.handler = input.handler
    where tasks.delivery_id = any(array(select id from input))
      and tasks.order_hash is not null and tasks.state <> 'running'
  ), alive as materialized (
    select id from workers where id in (select worker from places) for key share skip locked
  ), firsts as materialized (
    select
      places.id, places.ended, places.worker, places.bytes, places.sources, places.ahead, places.now, places.place, first.*
    from places join alive on alive.id = places.worker and places.recorded, lateral (
      select ctid as row, delivery_id, handler, state, next_at, start_at, attempt > 1 as may_be_suspect
      from tasks
      where tasks.order_hash = places.order_hash and ${unfinished}
      order by delivery_id
      limit 1) as first
    where first.state = 'pending' and first.next_at is null and coalesce(first.start_at, 0) <= places.now
      and not first.may_be_suspect -- only claim limits the number of suspects
      and not exists (select 1 from pauses where pauses.handler in (first.handler, '*'))
  ), repeated as materialized (
    select tasks.delivery_id as id, tasks.handler, tasks.attempt, attempts_used as "attemptsUsed", uncounted, deliveries.replayed,
           place
    from places
    join tasks on tasks.order_hash = places.order_hash and tasks.state = 'running'
      and tasks.worker = places.worker and tasks.claimed_after = places.id and tasks.claimed_after_attempt = places.ended
    join deliveries on deliveries.id = tasks.delivery_id
    where places.recorded is null
  ), locked as materialized (
    select id, source, size, replayed from deliveries
    where id = any(array(select delivery_id from firsts))
    order by id
    for update skip locked
  ), claimed as (
    update tasks
    set state = 'running', attempt = attempt + 1, attempts_used = attempts_used + 1, claimed_ahead = firsts.ahead,
        worker = firsts.worker, started_at = firsts.now, claimed_after = firsts.id, claimed_after_attempt = firsts.ended
    from firsts join locked on locked.id = firsts.delivery_id and locked.size <= firsts.bytes
      and (firsts.sources is null or locked.source = any(firsts.sources))
    where tasks.ctid = firsts.row
    returning tasks.delivery_id as id, tasks.handler, attempt, attempts_used as "attemptsUsed", uncounted, replayed, place
  ), logged as (
    insert into changes (deliveries) select array_agg(id) from claimed having count(*) > 0
  )
  select * from claimed union all select * from repeated`

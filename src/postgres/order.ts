/**
 * Order: of the unfinished tasks in a line, which are those of a handler that have the same key, the one received first
 * is the head, and only the head may begin, and only while no other of the line runs. The others are held: they have no
 * `next_at` and no job. Whatever changes the state of one of them passes the turn on to the head.
 */
import { hash } from 'node:crypto'
import type { ClaimedTask } from '../inbox/inbox.ts'
import { recordset, type Session } from './connection.ts'
import type { DueTask } from './job-queue.ts'

/** Who waits for one another. Short, for a small index; and exact as a number of JavaScript's. */
export function orderHash(handler: string, key: string | undefined): number | null {
  return key === undefined ? null : hash('sha256', JSON.stringify([handler, key]), 'buffer').readUIntBE(0, 6)
}

/** Lines in the order in which all transactions lock them, so that no two wait for each other. */
export function sortedHashes(lines: readonly (number | null)[]): number[] {
  return [...new Set(lines)].filter((hash) => hash !== null).sort((a, b) => a - b)
}

/** Keeps others from changing who of these lines may begin, until the transaction ends. @param sorted See `sortedLines`. */
export async function lockOrderKeys(session: Session, sorted: readonly number[]): Promise<void> {
  if (sorted.length > 0) await session.run(lockAll, sorted)
}

/** Locks the lines of all tasks of deliveries, whose rows the caller has locked. */
export async function lockOrderKeysOf(session: Session, ids: readonly number[]): Promise<number[]> {
  const rows = await session.all<{ order_hash: number }>(lockAllOf, ids)
  return rows.map(({ order_hash }) => order_hash)
}

/** Who may begin of lines that are locked: the turn is taken by asking. */
export class OrderQueues {
  readonly #lines: Map<number, QueueRow>

  private constructor(rows: readonly QueueRow[]) {
    this.#lines = new Map(rows.map((row) => [row.order_hash, row]))
  }

  static async of(session: Session, lines: readonly number[]): Promise<OrderQueues> {
    return new OrderQueues(lines.length > 0 ? await session.all(selectQueues(givenHashes), lines) : [])
  }

  /** Of the lines of all tasks of deliveries. */
  static async ofDeliveries(session: Session, ids: readonly number[]): Promise<OrderQueues> {
    return new OrderQueues(await session.all(selectQueues(hashesOfDeliveries), ids))
  }

  /** Whether the order lets a task begin. From then on it is in the line. */
  mayBegin(hash: number | null, id: number, begins: boolean): boolean {
    const standing = hash === null ? undefined : this.#lines.get(hash)
    if (!standing) return true
    const free = id <= (standing.first ?? id) && (standing.running === null || standing.running === id)
    if (free) standing.first = id
    if (free && begins) standing.running = id
    return free
  }
}

interface QueueRow {
  order_hash: number
  first: number | null
  running: number | null
}

/** Gives the turn to the heads of lines that are locked. @returns what is due by that. */
export async function promoteNext(session: Session, lines: readonly number[]): Promise<DueTask[]> {
  if (lines.length === 0) return []
  return (await session.all<PromotedTask>(promoteFirst(givenHashes), lines)).map(dueOf)
}

/** The same for the lines of all tasks of deliveries. */
export async function promoteNextAfter(session: Session, ids: readonly number[]): Promise<DueTask[]> {
  return (await session.all<PromotedTask>(promoteFirst(hashesOfDeliveries), ids)).map(dueOf)
}

interface PromotedTask {
  delivery_id: number
  handler: string
  job: string
}

const dueOf = ({ delivery_id: id, handler, job }: PromotedTask): DueTask => ({ id, handler, job })

/** A task that has ended, in whose place the next one of its line is to begin. */
export interface FinishedPlace {
  id: number
  handler: string
  /** The worker that ended it, and runs the next one. */
  worker: number
  /** The size of the next one's body at most. */
  bytes: number
  now: number
  /** Identifies the place in the result. */
  place: number
}

/** The head of a line, which has claimed. */
export interface ClaimedNext extends ClaimedTask {
  place: number
}

/**
 * Begins the heads of lines, which are locked, in the place of tasks that have ended. A busy key then takes one
 * transaction for each task; a job, its claim and their commits take three. If another transaction has locked the head's
 * delivery, the head is left to `passOn`, since a transaction that holds a line never waits for a delivery. A repeated
 * call returns the heads that the first call began.
 */
export async function claimNextTasks(session: Session, places: readonly FinishedPlace[]): Promise<ClaimedNext[]> {
  if (places.length === 0) return []
  return session.all(claimPromoted, recordset(places))
}

const givenHashes = '(select order_hash from unnest($1::bigint[]) as order_hash)'

const hashesOfDeliveries =
  '(select distinct order_hash from tasks where delivery_id = any($1::bigint[]) and order_hash is not null)'

/**
 * Waits for less time than PostgreSQL lets a transaction idle (5 s). Otherwise two transactions of a suspended process
 * would hold up every worker one after the other: the second acquires the lock when the first is ended, and idles too.
 */
const boundedWait = "bounded as materialized (select set_config('lock_timeout', '4s', true))"

const lockAll = `
  with ${boundedWait}
  select pg_advisory_xact_lock(order_hash) from bounded, unnest($1::bigint[]) as order_hash`

/** In the same order. */
const lockAllOf = `
  with ${boundedWait}, sorted as materialized (
    select distinct order_hash from tasks
    where delivery_id = any($1::bigint[]) and order_hash is not null
    order by order_hash
  )
  select order_hash, pg_advisory_xact_lock(order_hash) from bounded, sorted`

const unfinished = "state in ('pending', 'running', 'retrying')"

const selectQueues = (lines: string) => `
  select
    order_hash,
    (select delivery_id from tasks
     where tasks.order_hash = input.order_hash and ${unfinished}
     order by delivery_id limit 1) as first,
    (select delivery_id from tasks where tasks.order_hash = input.order_hash and state = 'running' limit 1) as running
  from ${lines} as input`

/** By `ctid`, so that PostgreSQL reads no other tasks, even if the table is not analyzed yet. */
const promoteFirst = (lines: string) => `
  with firsts as materialized (
    select first.place
    from ${lines} as input, lateral (
      select ctid as place from tasks
      where tasks.order_hash = input.order_hash and ${unfinished}
      order by delivery_id
      limit 1) as first
  )
  update tasks
  set next_at = 0, job = gen_random_uuid()
  where ctid = any(array(select place from firsts)) and state = 'pending' and next_at is null
  returning delivery_id, handler, job`

/** A worker that has been given up gets none: `key share` keeps others from giving it up before the commit. */
const claimPromoted = `
  with input as materialized (
    select * from json_to_recordset($1::json) as input (
      id bigint, handler text, worker bigint, bytes bigint, now bigint, place int)
  ), places as materialized (
    select input.*, tasks.order_hash
    from input join tasks on tasks.delivery_id = input.id and tasks.handler = input.handler
    where tasks.delivery_id = any(array(select id from input))
      and tasks.order_hash is not null and tasks.state <> 'running'
  ), alive as materialized (
    select id from workers where id in (select worker from places) for key share skip locked
  ), firsts as materialized (
    select places.worker, places.bytes, places.now, places.place, first.*
    from places join alive on alive.id = places.worker, lateral (
      select ctid as row, delivery_id, handler, state, next_at from tasks
      where tasks.order_hash = places.order_hash and ${unfinished}
      order by delivery_id
      limit 1) as first
    where first.state = 'pending' and first.next_at is null
      and not exists (select 1 from pauses where pauses.handler in (first.handler, '*'))
  ), repeated as materialized (
    select tasks.delivery_id as id, tasks.handler, attempt, attempts_used as "attemptsUsed", deliveries.replayed, place
    from places
    join tasks on tasks.order_hash = places.order_hash and tasks.state = 'running'
      and tasks.worker = places.worker and tasks.started_at = places.now
    join deliveries on deliveries.id = tasks.delivery_id
  ), locked as materialized (
    select id, size, replayed from deliveries
    where id = any(array(select delivery_id from firsts))
    order by id
    for update skip locked
  ), claimed as (
    update tasks
    set state = 'running', attempt = attempt + 1, attempts_used = attempts_used + 1, worker = firsts.worker, started_at = firsts.now
    from firsts join locked on locked.id = firsts.delivery_id and locked.size <= firsts.bytes
    where tasks.ctid = firsts.row
    returning tasks.delivery_id as id, tasks.handler, attempt, attempts_used as "attemptsUsed", replayed, place
  ), shown as (
    update deliveries set state = 'running', next_at = null from claimed where deliveries.id = claimed.id
  )
  select * from claimed union all select * from repeated`

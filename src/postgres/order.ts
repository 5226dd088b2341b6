/**
 * Order: of the unfinished tasks in a line, which are those of a handler that have the same key, the one received first
 * is the head, and only the head may begin, and only while no other of the line runs. The others are held: they have no
 * `next_at` and no job. Whatever changes the state of one of them passes the turn on to the head.
 */
import { hash } from 'node:crypto'
import type { Begun } from '../inbox/inbox.ts'
import { recordset, type Session } from './connection.ts'
import type { Due } from './job-queue.ts'

/** Who waits for one another. Short, for a small index; and exact as a number of JavaScript's. */
export function lineOf(handler: string, key: string | undefined): number | null {
  return key === undefined ? null : hash('sha256', JSON.stringify([handler, key]), 'buffer').readUIntBE(0, 6)
}

/** Lines in the order in which all transactions lock them, so that no two wait for each other. */
export function sortedLines(lines: readonly (number | null)[]): number[] {
  return [...new Set(lines)].filter((line) => line !== null).sort((a, b) => a - b)
}

/** Keeps others from changing who of these lines may begin, until the transaction ends. @param sorted See `sortedLines`. */
export async function lockLines(session: Session, sorted: readonly number[]): Promise<void> {
  if (sorted.length > 0) await session.run(lockAll, sorted)
}

/** Locks the lines of all tasks of deliveries, whose rows the caller has locked. */
export async function lockLinesOf(session: Session, ids: readonly number[]): Promise<number[]> {
  const rows = await session.all<{ line: number }>(lockAllOf, ids)
  return rows.map(({ line }) => line)
}

/** Who may begin of lines that are locked: the turn is taken by asking. */
export class Turns {
  readonly #lines: Map<number, TurnRow>

  private constructor(rows: readonly TurnRow[]) {
    this.#lines = new Map(rows.map((row) => [row.line, row]))
  }

  static async of(session: Session, lines: readonly number[]): Promise<Turns> {
    return new Turns(lines.length > 0 ? await session.all(selectTurns(givenLines), lines) : [])
  }

  /** Of the lines of all tasks of deliveries. */
  static async ofDeliveries(session: Session, ids: readonly number[]): Promise<Turns> {
    return new Turns(await session.all(selectTurns(linesOfDeliveries), ids))
  }

  /** Whether the order lets a task begin. From then on it is in the line. */
  mayBegin(line: number | null, id: number, begins: boolean): boolean {
    const standing = line === null ? undefined : this.#lines.get(line)
    if (!standing) return true
    const free = id <= (standing.head ?? id) && (standing.running === null || standing.running === id)
    if (free) standing.head = id
    if (free && begins) standing.running = id
    return free
  }
}

interface TurnRow {
  line: number
  head: number | null
  running: number | null
}

/** Gives the turn to the heads of lines that are locked. @returns what is due by that. */
export async function passOn(session: Session, lines: readonly number[]): Promise<Due[]> {
  if (lines.length === 0) return []
  return (await session.all<Freed>(freeHeads(givenLines), lines)).map(dueOf)
}

/** The same for the lines of all tasks of deliveries. */
export async function passOnAfter(session: Session, ids: readonly number[]): Promise<Due[]> {
  return (await session.all<Freed>(freeHeads(linesOfDeliveries), ids)).map(dueOf)
}

interface Freed {
  delivery_id: number
  handler: string
  job: string
}

const dueOf = ({ delivery_id: id, handler, job }: Freed): Due => ({ id, handler, job })

/** A task that has ended, in whose place the next one of its line is to begin. */
export interface Place {
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

/** The head of a line, which has begun. */
export interface BegunHead extends Begun {
  place: number
}

/**
 * Begins the heads of lines, which are locked, in the place of tasks that have ended. A busy key then takes one
 * transaction for each task; a job, its claim and their commits take three. If another transaction has locked the head's
 * delivery, the head is left to `passOn`, since a transaction that holds a line never waits for a delivery. A repeated
 * call returns the heads that the first call began.
 */
export async function beginHeads(session: Session, places: readonly Place[]): Promise<BegunHead[]> {
  if (places.length === 0) return []
  return session.all(beginFreeHeads, recordset(places))
}

const givenLines = '(select line from unnest($1::bigint[]) as line)'

const linesOfDeliveries = '(select distinct line from tasks where delivery_id = any($1::bigint[]) and line is not null)'

/**
 * Waits for less time than PostgreSQL lets a transaction idle (5 s). Otherwise two transactions of a suspended process
 * would hold up every worker one after the other: the second acquires the lock when the first is ended, and idles too.
 */
const boundedWait = "bounded as materialized (select set_config('lock_timeout', '4s', true))"

const lockAll = `
  with ${boundedWait}
  select pg_advisory_xact_lock(line) from bounded, unnest($1::bigint[]) as line`

/** In the same order. */
const lockAllOf = `
  with ${boundedWait}, sorted as materialized (
    select distinct line from tasks
    where delivery_id = any($1::bigint[]) and line is not null
    order by line
  )
  select line, pg_advisory_xact_lock(line) from bounded, sorted`

const unfinished = "state in ('pending', 'running', 'waiting')"

const selectTurns = (lines: string) => `
  select
    line,
    (select delivery_id from tasks
     where tasks.line = asked.line and ${unfinished}
     order by delivery_id limit 1) as head,
    (select delivery_id from tasks where tasks.line = asked.line and state = 'running' limit 1) as running
  from ${lines} as asked`

/** By `ctid`, so that PostgreSQL reads no other tasks, even if the table is not analyzed yet. */
const freeHeads = (lines: string) => `
  with heads as materialized (
    select head.place
    from ${lines} as asked, lateral (
      select ctid as place from tasks
      where tasks.line = asked.line and ${unfinished}
      order by delivery_id
      limit 1) as head
  )
  update tasks
  set next_at = 0, job = gen_random_uuid()
  where ctid = any(array(select place from heads)) and state = 'pending' and next_at is null
  returning delivery_id, handler, job`

/** A worker that has been given up gets none: `key share` keeps others from giving it up before the commit. */
const beginFreeHeads = `
  with told as materialized (
    select * from json_to_recordset($1::json) as told (
      id bigint, handler text, worker bigint, bytes bigint, now bigint, place int)
  ), places as materialized (
    select told.*, tasks.line
    from told join tasks on tasks.delivery_id = told.id and tasks.handler = told.handler
    where tasks.delivery_id = any(array(select id from told))
      and tasks.line is not null and tasks.state <> 'running'
  ), alive as materialized (
    select id from workers where id in (select worker from places) for key share skip locked
  ), heads as materialized (
    select places.worker, places.bytes, places.now, places.place, head.*
    from places join alive on alive.id = places.worker, lateral (
      select ctid as row, delivery_id, handler, state, next_at from tasks
      where tasks.line = places.line and ${unfinished}
      order by delivery_id
      limit 1) as head
    where head.state = 'pending' and head.next_at is null
      and not exists (select 1 from pauses where pauses.handler in (head.handler, '*'))
  ), repeated as materialized (
    select tasks.delivery_id as id, tasks.handler, attempt, spent, deliveries.replayed, place
    from places
    join tasks on tasks.line = places.line and tasks.state = 'running'
      and tasks.worker = places.worker and tasks.started_at = places.now
    join deliveries on deliveries.id = tasks.delivery_id
  ), locked as materialized (
    select id, size, replayed from deliveries
    where id = any(array(select delivery_id from heads))
    order by id
    for update skip locked
  ), begun as (
    update tasks
    set state = 'running', attempt = attempt + 1, spent = spent + 1, worker = heads.worker, started_at = heads.now
    from heads join locked on locked.id = heads.delivery_id and locked.size <= heads.bytes
    where tasks.ctid = heads.row
    returning tasks.delivery_id as id, tasks.handler, attempt, spent, replayed, place
  ), shown as (
    update deliveries set state = 'running', next_at = null from begun where deliveries.id = begun.id
  )
  select * from begun union all select * from repeated`

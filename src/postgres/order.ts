/**
 * Order: of the unfinished tasks in a line, which are those of a handler that have the same key, the one received first
 * is the head, and only the head may begin, and only while no other of the line runs. The others are held: they have no
 * `next_at` and no job. Whatever changes the state of one of them passes the turn on to the head.
 */
import { hash } from 'node:crypto'
import type { Begun } from '../inbox/inbox.ts'
import { recordset, type Session } from './connection.ts'
import type { Due } from './jobs.ts'

/** Who waits for one another. Short, for a small index; and exact as a number of JavaScript's. */
export function lineOf(handler: string, key: string | undefined): number | null {
  return key === undefined ? null : hash('sha256', JSON.stringify([handler, key]), 'buffer').readUIntBE(0, 6)
}

/** Keeps others from changing who of a line may begin. */
export async function lockLines(session: Session, lines: Iterable<number | null>): Promise<number[]> {
  const sorted = [...new Set(lines)].filter((line) => line !== null).sort((a, b) => a - b)
  if (sorted.length > 0) await session.run(lockAll, sorted)
  return sorted
}

/** The lines of the tasks of deliveries that are locked, which are locked too. */
export async function lockLinesOf(session: Session, ids: readonly number[]): Promise<number[]> {
  const tasks = await orderedTasks(session, ids)
  return lockLines(
    session,
    tasks.map(({ line }) => line),
  )
}

export interface OrderedTask {
  delivery_id: number
  handler: string
  line: number
}

/** The tasks of deliveries that have a line. */
export function orderedTasks(session: Session, ids: readonly number[]): Promise<OrderedTask[]> {
  return session.all(selectOrdered, ids)
}

/** Who may begin of lines that are locked: the turn is taken by asking. */
export class Turns {
  readonly #lines: Map<number, { head: number | null; running: number | null }>

  private constructor(rows: readonly { line: number; head: number | null; running: number | null }[]) {
    this.#lines = new Map(rows.map((row) => [row.line, row]))
  }

  static async of(session: Session, lines: readonly number[]): Promise<Turns> {
    return new Turns(lines.length > 0 ? await session.all(selectTurns, lines) : [])
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

/** A line whose next task is to begin at once. */
export interface WantedHead {
  line: number
  worker: number
  /** The size of its body at most. */
  bytes: number
  now: number
  /** The task that ended. */
  after: string
}

/** The head of a line, which has begun. */
export interface BegunHead extends Begun {
  /** The task that ended before it. */
  after: string
}

/**
 * Begins the heads of lines that are locked, for workers that have just ended the task before. This takes one
 * transaction for each task of a busy key, where a job, its claim and their commits take three. A head whose delivery
 * another transaction has locked is left to `passOn`: nobody who holds a line waits for a delivery.
 */
export async function beginHeads(session: Session, wanted: readonly WantedHead[]): Promise<BegunHead[]> {
  if (wanted.length === 0) return []
  return session.all(beginFreeHeads, recordset(wanted))
}

/** Gives the turn to the heads of lines that are locked. @returns what is due by that. */
export async function passOn(session: Session, lines: readonly number[]): Promise<Due[]> {
  if (lines.length === 0) return []
  const freed = await session.all<{ delivery_id: number; handler: string; job: string }>(freeHeads, lines)
  return freed.map(({ delivery_id: id, handler, job }) => ({ id, handler, job }))
}

const lockAll = 'select pg_advisory_xact_lock(line) from unnest($1::bigint[]) as line'

const selectOrdered =
  'select delivery_id, handler, line from tasks where delivery_id = any($1::bigint[]) and line is not null'

const selectTurns = `
  select
    line,
    (select delivery_id from tasks
     where tasks.line = asked.line and state in ('pending', 'running', 'waiting')
     order by delivery_id limit 1) as head,
    (select delivery_id from tasks where tasks.line = asked.line and state = 'running' limit 1) as running
  from unnest($1::bigint[]) as asked (line)`

const beginFreeHeads = `
  with wanted as materialized (
    select * from json_to_recordset($1::json) as wanted (line bigint, worker bigint, bytes bigint, now bigint, after text)
  ), alive as materialized (
    select id from workers where id in (select worker from wanted) for key share skip locked
  ), heads as materialized (
    select wanted.*, head.delivery_id, head.handler
    from wanted join alive on alive.id = wanted.worker, lateral (
      select delivery_id, handler, state, next_at from tasks
      where tasks.line = wanted.line and state in ('pending', 'running', 'waiting')
      order by delivery_id
      limit 1) as head
    where head.state = 'pending' and head.next_at is null
      and not exists (select 1 from pauses where pauses.handler in (head.handler, '*'))
  ), locked as materialized (
    select id, size, replayed from deliveries
    where id in (select delivery_id from heads)
    order by id
    for update skip locked
  )
  update tasks
  set state = 'running', attempt = attempt + 1, spent = spent + 1, worker = heads.worker, started_at = heads.now
  from heads join locked on locked.id = heads.delivery_id and locked.size <= heads.bytes
  where tasks.delivery_id = heads.delivery_id and tasks.handler = heads.handler
  returning tasks.delivery_id as id, tasks.handler, attempt, spent, replayed, after`

const freeHeads = `
  with heads as (
    select head.*
    from unnest($1::bigint[]) as asked (line), lateral (
      select delivery_id, handler from tasks
      where tasks.line = asked.line and state in ('pending', 'running', 'waiting')
      order by delivery_id
      limit 1) as head
  )
  update tasks
  set next_at = 0, job = gen_random_uuid()
  from heads
  where tasks.delivery_id = heads.delivery_id and tasks.handler = heads.handler
    and tasks.state = 'pending' and tasks.next_at is null
  returning tasks.delivery_id, tasks.handler, tasks.job`

/** What no process has to do at once: finds what would otherwise wait for ever. */
import type { HandlerPolicy } from '../inbox/inbox.ts'
import type { Session } from './connection.ts'
import { type DueTask, type JobQueue, newJob } from './job-queue.ts'
import { lockOrderKeysOf, promoteNext } from './order.ts'
import { lockDeliveries, updateDeliveryStates } from './tasks.ts'

/** Rows that are mended in one transaction, and that are looked at for that. */
const [batch, window] = [1000, 10_000]

/** Milliseconds: how exact it is known when a handler was there last. */
const seenPrecision = 60_000

/** Milliseconds by which the clocks of processes may differ. */
const clockTolerance = 1000

/**
 * Gives another job to due tasks that have lost theirs, as when an operator deletes rows of pg-boss. There may be very
 * many tasks, so each call checks the next ones.
 * @param after The delivery at which the last call ended.
 * @returns The delivery at which this one ended; 0 at the end of the tasks.
 */
export async function replaceLostJobs(session: Session, jobs: JobQueue, after: number): Promise<number> {
  const tasks = await session.all<FoundTask>(selectTasks(jobs), after, window)
  const lost = tasks.filter(({ alive }) => !alive)
  if (lost.length > 0) await addMissingJobs(session, jobs, [...new Set(lost.map(({ id }) => id))])
  return tasks.length < window ? 0 : (tasks.at(-1)?.id ?? 0)
}

interface FoundTask {
  id: number
  alive: boolean
}

/** Gives new jobs to the due tasks of deliveries, whatever jobs they had. */
export async function addMissingJobs(session: Session, jobs: JobQueue, ids: readonly number[]): Promise<void> {
  await lockDeliveries(session, ids)
  const due = await session.all<DueTask>(renewTasks, ids)
  await jobs.prepare(new Set(due.map(({ handler }) => handler)))
  await jobs.add(
    session,
    due.map(({ at, ...one }) => ({ ...one, at: at || undefined })),
  )
}

/** Heads that are held although nobody of their line runs: their turn was passed on when they were not there yet. */
export async function unblockFirstTasks(session: Session, jobs: JobQueue): Promise<void> {
  const rows = await session.all<{ delivery_id: number }>(selectBlocked, batch)
  const ids = await lockDeliveries(
    session,
    rows.map(({ delivery_id }) => delivery_id),
  )
  await jobs.add(session, await promoteNext(session, await lockOrderKeysOf(session, ids)))
}

/**
 * A clock that was wrong would have tasks wait that much longer: whoever waits for longer than it was told to is due
 * now.
 */
export async function correctClockSkew(session: Session, jobs: JobQueue, now: number): Promise<void> {
  const found = await session.all<{ id: number; handler: string }>(selectSkewed, now + clockTolerance, batch)
  if (found.length === 0) return
  const ids = await lockDeliveries(
    session,
    found.map(({ id }) => id),
  )
  const due = found.map((one) => ({ ...one, job: newJob(), at: now }))
  const mended = await session.all<{ job: string }>(makeDue, ...columnsOf(due), now)
  const made = new Set(mended.map(({ job }) => job))
  await jobs.add(
    session,
    due.filter(({ job }) => made.has(job)),
  )
  await updateDeliveryStates(session, ids)
}

/**
 * Ends tasks that are due and whose handler no worker has had for long: nobody would ever run them. Not at once, since
 * a program that is down, or is being replaced, comes back with its handlers.
 */
export async function endUnhandledTasks(
  session: Session,
  jobs: JobQueue,
  vanishAfter: number,
  now: number,
): Promise<void> {
  const workers = await session.all<{ handlers: HandlerPolicy[] }>('select handlers from workers')
  if (workers.length === 0) return
  const alive = [...new Set(workers.flatMap(({ handlers }) => handlers.map(({ name }) => name)))].sort()
  await session.run(recordHandlerSeen, alive, now, now - seenPrecision)
  await session.run(recordHandlerFirstSeen, alive, now)
  const vanished = await session.all<{ delivery_id: number }>(selectUnhandled, alive, now, now - vanishAfter, batch)
  if (vanished.length === 0) return
  const ids = await lockDeliveries(
    session,
    vanished.map(({ delivery_id }) => delivery_id),
  )
  const lines = await lockOrderKeysOf(session, ids)
  await session.run(markTasksGone, ids, alive, now, now - vanishAfter)
  await jobs.add(session, await promoteNext(session, lines))
  await updateDeliveryStates(session, ids)
}

const isOrdered = `order_hash is not null and state in ('pending', 'running', 'retrying')`

const columnsOf = (due: readonly DueTask[]) => [
  due.map(({ id }) => id),
  due.map(({ handler }) => handler),
  due.map(({ job }) => job),
]

const selectTasks = (jobs: JobQueue) => `
  select delivery_id as id, ${jobs.isAlive('due.job')} as alive
  from (
    select delivery_id, job from tasks
    where next_at is not null and delivery_id > $1
    order by delivery_id
    limit $2
  ) as due
  order by delivery_id`

const renewTasks = `
  update tasks set job = gen_random_uuid()
  where delivery_id = any($1::bigint[]) and next_at is not null
  returning delivery_id as id, handler, job, next_at as at`

/** The head of each line, one seek after the other: there may be very many tasks in a line. */
const selectBlocked = `
  with recursive heads as (
    (select order_hash, delivery_id, state, next_at from tasks where ${isOrdered} order by order_hash, delivery_id limit 1)
    union all
    select next.order_hash, next.delivery_id, next.state, next.next_at
    from heads, lateral (
      select order_hash, delivery_id, state, next_at from tasks
      where ${isOrdered} and order_hash > heads.order_hash
      order by order_hash, delivery_id
      limit 1) as next
  )
  select delivery_id from heads
  where state = 'pending' and next_at is null
    and not exists (select 1 from tasks where tasks.order_hash = heads.order_hash and state = 'running')
  limit $1`

const selectSkewed = `
  select delivery_id as id, handler from tasks
  where state = 'retrying' and next_at > $1 and next_at - delay > $1
  limit $2`

const makeDue = `
  update tasks set next_at = $4, delay = null, job = told.job
  from unnest($1::bigint[], $2::text[], $3::uuid[]) as told (id, handler, job)
  where tasks.delivery_id = told.id and tasks.handler = told.handler and tasks.state = 'retrying'
  returning tasks.job`

const recordHandlerSeen = `
  insert into handlers (name, seen_at) select name, $2 from unnest($1::text[]) as name
  on conflict (name) do update set seen_at = excluded.seen_at where handlers.seen_at < $3`

/** The handlers of tasks that may begin, one seek after the other: there may be very many tasks, but not handlers. */
const recordHandlerFirstSeen = `
  with recursive due as (
    (select handler from tasks where next_at is not null order by handler limit 1)
    union all
    select next.handler
    from due, lateral (
      select handler from tasks where next_at is not null and handler > due.handler order by handler limit 1) as next
  )
  insert into handlers (name, seen_at)
  select handler, $2 from due where not (handler = any($1::text[]))
  on conflict (name) do nothing`

const isUnhandled = `
  next_at <= $2 and not (handler = any($1::text[]))
  and handler in (select name from handlers where seen_at <= $3)`

const selectUnhandled = `select delivery_id from tasks where ${isUnhandled} limit $4`

const markTasksGone = `
  update tasks set state = 'gone', next_at = null, delay = null, job = null
  where delivery_id = any($1::bigint[]) and ${isUnhandled.replaceAll('$3', '$4').replaceAll('$2', '$3').replaceAll('$1', '$2')}`

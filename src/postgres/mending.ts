/** What no process has to do at once: finds what would otherwise wait for ever. */
import type { HandlerPolicy } from '../inbox/inbox.ts'
import type { Session } from './connection.ts'
import { type Due, type Jobs, newJob } from './jobs.ts'
import { lockDeliveries, lockLinesOf, passOn, settle } from './tasks.ts'

/** Rows that are mended in one transaction. */
const batch = 1000

/** Milliseconds: how exact it is known when a handler was there last. */
const seenPrecision = 60_000

/** Milliseconds by which the clocks of processes may differ. */
const tolerance = 1000

/**
 * Unfinished rows whose job is gone are given another: those of another inbox, and whatever somebody's hand has deleted.
 * @param ids Only those of these deliveries.
 */
export async function replaceLostJobs(session: Session, jobs: Jobs, ids?: readonly number[]): Promise<void> {
  const deliveries = await session.all<Due>(selectJobless(jobs), batch, ids ?? null)
  const tasks = await session.all<Due>(selectJoblessTasks(jobs), batch, ids ?? null)
  await jobs.prepare(new Set(tasks.map(({ handler }) => handler as string)))
  const due = [...deliveries, ...tasks].map((one) => ({ ...one, job: newJob(), at: one.at || undefined }))
  await session.run(updateJobs, ...columnsOf(due.slice(0, deliveries.length)))
  await session.run(updateTaskJobs, ...columnsOf(due.slice(deliveries.length)))
  await jobs.add(session, due)
}

/** Heads that are held although nobody of their line runs: their turn was passed on when they were not there yet. */
export async function freeHeads(session: Session, jobs: Jobs): Promise<void> {
  const rows = await session.all<{ delivery_id: number }>(selectHeld, batch)
  const ids = await lockDeliveries(
    session,
    rows.map(({ delivery_id }) => delivery_id),
  )
  await jobs.add(session, await passOn(session, await lockLinesOf(session, ids)))
}

/**
 * A clock that was wrong would have tasks wait that much longer: whoever waits for longer than it was told to is due
 * now.
 */
export async function mendClock(session: Session, jobs: Jobs, now: number): Promise<void> {
  const found = await session.all<{ id: number; handler: string }>(selectMisled, now + tolerance, batch)
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
  await settle(session, ids)
}

/**
 * Ends tasks that are due and whose handler no worker has had for long: nobody would ever run them. Not at once, since
 * a program that is down, or is being replaced, comes back with its handlers.
 */
export async function loseVanished(session: Session, jobs: Jobs, vanishAfter: number, now: number): Promise<void> {
  const workers = await session.all<{ handlers: HandlerPolicy[] }>('select handlers from workers')
  if (workers.length === 0) return
  const alive = [...new Set(workers.flatMap(({ handlers }) => handlers.map(({ name }) => name)))].sort()
  await session.run(noteSeen, alive, now, now - seenPrecision)
  await session.run(noteFirstSeen, alive, now)
  const vanished = await session.all<{ delivery_id: number }>(selectVanished, alive, now, now - vanishAfter, batch)
  if (vanished.length === 0) return
  const ids = await lockDeliveries(
    session,
    vanished.map(({ delivery_id }) => delivery_id),
  )
  const lines = await lockLinesOf(session, ids)
  await session.run(loseTasks, ids, alive, now, now - vanishAfter)
  await jobs.add(session, await passOn(session, lines))
  await settle(session, ids)
}

const columnsOf = (due: readonly Due[]) => [
  due.map(({ id }) => id),
  due.map(({ handler }) => handler ?? ''),
  due.map(({ job }) => job),
]

const selectJobless = (jobs: Jobs) => `
  select id from deliveries
  where not dispatched and not ${jobs.isAlive('deliveries.job')} and ($2::bigint[] is null or id = any($2))
  order by id
  limit $1
  for update skip locked`

const selectJoblessTasks = (jobs: Jobs) => `
  select delivery_id as id, handler, next_at as at from tasks
  where next_at is not null and not ${jobs.isAlive('tasks.job')} and ($2::bigint[] is null or delivery_id = any($2))
  order by delivery_id
  limit $1
  for update skip locked`

const updateJobs = `
  update deliveries set job = told.job
  from unnest($1::bigint[], $2::text[], $3::uuid[]) as told (id, handler, job)
  where deliveries.id = told.id`

const updateTaskJobs = `
  update tasks set job = told.job
  from unnest($1::bigint[], $2::text[], $3::uuid[]) as told (id, handler, job)
  where tasks.delivery_id = told.id and tasks.handler = told.handler`

const selectHeld = `
  select delivery_id from tasks
  where line is not null and state = 'pending' and next_at is null
    and not exists (
      select 1 from tasks as before
      where before.line = tasks.line and before.state in ('pending', 'running', 'waiting')
        and (before.delivery_id < tasks.delivery_id or before.state = 'running'))
  limit $1`

const selectMisled = `
  select delivery_id as id, handler from tasks
  where state = 'waiting' and next_at > $1 and next_at - waits > $1
  limit $2`

const makeDue = `
  update tasks set next_at = $4, waits = null, job = told.job
  from unnest($1::bigint[], $2::text[], $3::uuid[]) as told (id, handler, job)
  where tasks.delivery_id = told.id and tasks.handler = told.handler and tasks.state = 'waiting'
  returning tasks.job`

const noteSeen = `
  insert into handlers (name, seen_at) select name, $2 from unnest($1::text[]) as name
  on conflict (name) do update set seen_at = excluded.seen_at where handlers.seen_at < $3`

const noteFirstSeen = `
  insert into handlers (name, seen_at)
  select distinct handler, $2::bigint from tasks where next_at is not null and not (handler = any($1::text[]))
  on conflict (name) do nothing`

const isVanished = `
  next_at <= $2 and not (handler = any($1::text[]))
  and handler in (select name from handlers where seen_at <= $3)`

const selectVanished = `select delivery_id from tasks where ${isVanished} limit $4`

const loseTasks = `
  update tasks set state = 'gone', next_at = null, waits = null, job = null
  where delivery_id = any($1::bigint[]) and ${isVanished.replaceAll('$3', '$4').replaceAll('$2', '$3').replaceAll('$1', '$2')}`

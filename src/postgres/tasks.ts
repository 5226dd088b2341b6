/**
 * The life of a task, as `records.ts` tells it. Each function changes tasks in the transaction of its caller.
 *
 * Locks: whoever changes tasks holds the rows of their deliveries, taken in the order of their ids, and after these the
 * lines (`order.ts`), in the order of theirs. Nobody who holds a line waits for a delivery, so no two wait for each other.
 */
import type { AttemptResult, DeliveryStatus } from '../inbox/inbox.ts'
import { transitionOf } from '../inbox/task-state.ts'
import { recordset, type Session } from './connection.ts'
import { asked } from './database.ts'
import { type DueTask, type JobQueue, newJob } from './job-queue.ts'
import { claimNextTasks, type FinishedPlace, lockOrderKeysOf, promoteNext, promoteNextAfter } from './order.ts'

/** @returns Those that are there. */
export async function lockDeliveries(session: Session, ids: Iterable<number>): Promise<number[]> {
  const rows = await session.all<{ id: number }>(selectForUpdate, [...new Set(ids)])
  return rows.map(({ id }) => id)
}

/** An outcome, and the worker that tells it. */
export interface WorkerResult extends AttemptResult {
  worker: number
}

/** Records how attempts ended, except of those whose lease has passed to another. @returns the deliveries' states, by index. */
export async function finish(
  session: Session,
  jobs: JobQueue,
  told: readonly WorkerResult[],
): Promise<() => Promise<(DeliveryStatus | undefined)[]>> {
  const ids = [...new Set(told.map(({ id }) => id))]
  const rows = told.map(rowOf)
  // Jobs of what is not recorded belong to no task, and are dropped by whoever fetches them.
  const due = rows.flatMap(({ job, delivery_id: id, handler, next_at }): DueTask[] => {
    return job === undefined ? [] : [{ job, id, handler, at: next_at || undefined }]
  })
  // Sent together, since the lines stay locked during each round trip.
  const [, , ended, claimed, freed, states] = await Promise.all([
    lockDeliveries(session, ids),
    lockOrderKeysOf(session, ids),
    session.all<{ index: number }>(endLeases, recordset(rows)),
    claimNextTasks(session, told.flatMap(placeOf)),
    promoteNextAfter(session, ids),
    updateDeliveryStates(session, ids),
  ])
  for (const { id } of claimed) session.changed.add(id)
  const recorded = new Set(ended.map(({ index }) => index))
  const next = new Map(claimed.map(({ place, ...task }) => [place, task]))
  const standings = told.map(({ id }, index): DeliveryStatus | undefined => {
    const [state, task] = [recorded.has(index) ? states.get(id) : undefined, next.get(index)]
    // A repeated call, whose first answer was lost, records no outcome, but returns the task that the first call began.
    const shown = state ?? (task && states.get(id))
    return shown && { id, state: shown, ...(task && { next: task }) }
  })
  return asked(jobs.add(session, [...due, ...freed]).then(() => standings))
}

function placeOf(
  { id, handler, worker, nextBytes, startedAt, duration }: WorkerResult,
  place: number,
): FinishedPlace[] {
  if (nextBytes === undefined) return []
  return [{ id, handler, worker, bytes: nextBytes, now: startedAt + duration, place }]
}

interface ExpiredRow {
  delivery_id: number
  handler: string
  job: string | null
  next_at: number | null
}

function rowOf(told: WorkerResult, index: number) {
  const { id, handler, attempt, worker, outcome, startedAt, duration, error, result, log } = told
  const { state, nextAt, delay, attemptsUsedChange: spends } = transitionOf(told)
  const job = nextAt === undefined ? undefined : newJob()
  const attempted = { started_at: startedAt, duration, outcome, error, result, log }
  return { index, delivery_id: id, handler, attempt, worker, state, next_at: nextAt, delay, spends, job, ...attempted }
}

/** Takes running tasks from a worker that died: the attempt counts, and another is due after a wait. */
export async function expireLeases(
  session: Session,
  jobs: JobQueue,
  tasks: readonly ExpiredLease[],
  now: number,
): Promise<void> {
  const ids = await lockDeliveries(
    session,
    tasks.map(({ id }) => id),
  )
  const lines = await lockOrderKeysOf(session, ids)
  const rows = tasks.map(({ id, handler, attempt, wait }) => {
    return { delivery_id: id, handler, attempt, next_at: now + wait, delay: wait, job: newJob() }
  })
  const cut = await session.all<ExpiredRow>(expireTasks, recordset(rows))
  const due = cut.map(({ delivery_id: id, handler, job, next_at }): DueTask => {
    return { job: job as string, id, handler, at: next_at ?? undefined }
  })
  due.push(...(await promoteNext(session, lines)))
  await jobs.add(session, due)
  await updateDeliveryStates(session, new Set(cut.map(({ delivery_id }) => delivery_id)))
}

export interface ExpiredLease {
  id: number
  handler: string
  attempt: number
  /** Milliseconds. */
  wait: number
}

/** Brings deliveries that are locked in line with their tasks. @returns their states. */
export async function updateDeliveryStates(
  session: Session,
  ids: Iterable<number>,
): Promise<Map<number, DeliveryStatus['state']>> {
  const all = [...ids]
  if (all.length === 0) return new Map()
  for (const id of all) session.changed.add(id)
  const rows = await session.all<DeliveryStatus>(updateStates, all)
  return new Map(rows.map(({ id, state }) => [id, state]))
}

const selectForUpdate = 'select id from deliveries where id = any($1::bigint[]) order by id for update'

const endLeases = `
  with told as materialized (
    select * from json_to_recordset($1::json) as told (
      index int, delivery_id bigint, handler text, attempt int, worker bigint, state text, next_at bigint, delay bigint,
      spends int, job uuid, started_at bigint, duration bigint, outcome text, error text, result text, log text)
  ), first as (
    select distinct on (delivery_id, handler) * from told order by delivery_id, handler, index
  ), ended as (
    update tasks
    set state = first.state, next_at = first.next_at, delay = first.delay, job = first.job,
        attempts_used = tasks.attempts_used + first.spends, worker = null, started_at = null
    from first
    where tasks.delivery_id = any(array(select delivery_id from first))
      and tasks.delivery_id = first.delivery_id and tasks.handler = first.handler
      and tasks.attempt = first.attempt and tasks.worker = first.worker and tasks.state = 'running'
    returning first.index, tasks.delivery_id, tasks.handler
  ), kept as (
    insert into attempts (delivery_id, handler, number, started_at, duration, outcome, error, result, log)
    select delivery_id, handler, attempt, started_at, duration, outcome, error, result, log
    from ended join told using (index, delivery_id, handler)
  )
  select index from ended`

const expireTasks = `
  with told as materialized (
    select * from json_to_recordset($1::json) as told (
      delivery_id bigint, handler text, attempt int, next_at bigint, delay bigint, job uuid)
  ), running as materialized (
    select tasks.delivery_id, tasks.handler, tasks.attempt, tasks.started_at
    from tasks join told using (delivery_id, handler, attempt)
    where tasks.state = 'running'
  ), kept as (
    insert into attempts (delivery_id, handler, number, started_at, outcome)
    select delivery_id, handler, attempt, started_at, 'cut off' from running
  )
  update tasks
  set state = 'retrying', next_at = told.next_at, delay = told.delay, job = told.job, worker = null, started_at = null
  from running join told using (delivery_id, handler, attempt)
  where tasks.delivery_id = running.delivery_id and tasks.handler = running.handler
  returning tasks.delivery_id, tasks.handler, tasks.job, tasks.next_at`

/** As `stateOf` has it. The ids twice: joined alone, a small table would be read as a whole. */
const updateStates = `
  update deliveries
  set state = standing.state, next_at = standing.next_at
  from (
    select
      delivery_id,
      case
        when bool_or(state = 'running') then 'running'
        when bool_or(state = 'retrying') then 'retrying'
        when bool_or(state = 'pending') then 'pending'
        when bool_or(state = 'dead') then 'dead'
        when bool_and(state = 'gone') then 'ignored'
        when bool_and(state in ('discarded', 'gone')) then 'discarded'
        else 'done'
      end as state,
      case when not bool_or(state = 'running') then min(next_at) filter (where state = 'retrying') end as next_at
    from tasks
    where delivery_id = any($1::bigint[])
    group by delivery_id
  ) as standing
  where deliveries.id = standing.delivery_id and deliveries.id = any($1::bigint[])
  returning id, deliveries.state`

/** What an operator does to deliveries: each in the transaction of the caller. */
import type { DeliveryState } from '../inbox/records.ts'
import type { Session } from './connection.ts'
import { type JobQueue, newJob } from './job-queue.ts'
import { rearmDelivery } from './match.ts'
import { forgetMatchAttempts } from './match-attempts.ts'
import { lockOrderKeysOf, OrderQueues, promoteNext } from './order.ts'
import { updateDeliveryStates } from './tasks.ts'

interface UnendedDelivery {
  id: number
  state: DeliveryState
  matched: boolean
}

interface RetriedTask {
  delivery_id: number
  handler: string
  order_hash: number | null
}

const unfinished: readonly DeliveryState[] = ['pending', 'running', 'retrying']

/** Has deliveries handled again. @returns For how many there was anything to do. */
export async function retry(session: Session, jobs: JobQueue, ids: readonly number[]): Promise<number> {
  const found = (await session.all<UnendedDelivery>(selectDeliveries, [...new Set(ids)])).filter(
    ({ matched }) => matched,
  )
  const ended = found.filter(({ state }) => !unfinished.includes(state))
  for (const rerun of [true, false]) {
    const those = ended.filter(({ state }) => (state === 'done') === rerun)
    if (those.length > 0) await rearmDelivery(session, idsOf(those), rerun)
  }
  const going = idsOf(found.filter(({ state }) => unfinished.includes(state)))
  return ended.length + (await restart(session, jobs, going))
}

/** Has tasks that wait, or have ended without success, begin anew. */
async function restart(session: Session, jobs: JobQueue, ids: readonly number[]): Promise<number> {
  if (ids.length === 0) return 0
  const lines = await lockOrderKeysOf(session, ids)
  const retried = await session.all<RetriedTask>(restartTasks, ids)
  const turns = await OrderQueues.of(session, lines)
  const free = retried.filter(({ order_hash, delivery_id }) => turns.mayBegin(order_hash, delivery_id, false))
  const due = free.map(({ delivery_id: id, handler }) => ({ id, handler, job: newJob() }))
  await session.run(
    makeDue,
    due.map(({ id }) => id),
    due.map(({ handler }) => handler),
    due.map(({ job }) => job),
  )
  await jobs.add(session, due)
  const touched = new Set(retried.map(({ delivery_id }) => delivery_id))
  await updateDeliveryStates(session, touched)
  return touched.size
}

/** Ends deliveries that have not ended, and those that are dead. What runs of them runs on, and how it ends is not recorded. */
export async function discard(
  session: Session,
  jobs: JobQueue,
  ids: readonly number[],
  reason: string,
): Promise<number> {
  const found = await session.all<UnendedDelivery>(selectDeliveries, [...new Set(ids)])
  const those = idsOf(found.filter(({ state }) => state === 'dead' || unfinished.includes(state)))
  if (those.length === 0) return 0
  const lines = await lockOrderKeysOf(session, those)
  await session.run(recordCutOffAttempts, those, reason)
  await session.run(discardTasks, those)
  await session.run(discardDeliveries, those, reason)
  await forgetMatchAttempts(session, those)
  await jobs.add(session, await promoteNext(session, lines))
  for (const id of those) session.changed.add(id)
  return those.length
}

const idsOf = (rows: readonly UnendedDelivery[]): number[] => rows.map(({ id }) => id)

const selectDeliveries = `
  select id, state, matched from deliveries
  where id = any($1::bigint[])
  order by id
  for update`

const restartTasks = `
  update tasks set state = 'pending', next_at = null, delay = null, attempts_used = 0, job = null
  where delivery_id = any($1::bigint[]) and state in ('retrying', 'dead', 'discarded')
  returning delivery_id, handler, order_hash`

const makeDue = `
  update tasks set next_at = 0, job = told.job
  from unnest($1::bigint[], $2::text[], $3::uuid[]) as told (id, handler, job)
  where tasks.delivery_id = told.id and tasks.handler = told.handler`

const recordCutOffAttempts = `
  insert into attempts (delivery_id, handler, number, started_at, outcome, error)
  select delivery_id, handler, attempt, started_at, 'discarded', $2
  from tasks
  where delivery_id = any($1::bigint[]) and state = 'running'`

const discardTasks = `
  update tasks
  set state = 'discarded', next_at = null, delay = null, job = null, worker = null, started_at = null
  where delivery_id = any($1::bigint[]) and state not in ('done', 'gone')`

const discardDeliveries = `
  update deliveries
  set state = 'discarded', matched = true, rerun = false, next_at = null, reason = $2
  where id = any($1::bigint[])`

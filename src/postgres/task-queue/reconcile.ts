/** Repairs states that no event would repair: lost jobs, blocked queues, wrong clocks. */
import { clockTolerance } from '../../inbox/processes.ts'
import { idsOf } from '../connection/connection.ts'
import type { Transaction } from '../connection/database.ts'
import { type DueTask, type JobQueue, newJob } from './job-queue.ts'
import { lockOrderKeysOf, promoteNext } from './order.ts'
import { lockDeliveries, updateDeliveryStates } from './tasks.ts'

/** Maximum blocked or skewed tasks that one transaction selects. */
const maxRepaired = 1000

/** The number of tasks that one transaction checks for lost jobs. */
const maxChecked = 10_000

/**
 * Gives new jobs to tasks that have lost theirs, for example because an operator deleted rows of pg-boss. Every task
 * that is due or waits for a retry should have a job. There may be very many such tasks, so each call checks only the
 * next `limit` of them. If this limit falls between two tasks of one delivery, the call also checks the other tasks of
 * the delivery, because the next call starts with the next delivery.
 * @param after The id of the delivery at which the previous call ended.
 * @returns the id of the delivery at which this call ended; 0 if no tasks are left to check.
 */
export async function replaceLostJobs(
  transaction: Transaction,
  jobs: JobQueue,
  after: number,
  limit: number = maxChecked,
): Promise<number> {
  const tasks = await transaction.all<{ id: number; hasJob: boolean }>(selectTasks(jobs), after, limit)
  const lost = tasks.filter(({ hasJob }) => !hasJob)
  if (lost.length > 0) await addMissingJobs(transaction, jobs, [...new Set(idsOf(lost))])
  return tasks.length < limit ? 0 : (tasks.at(-1)?.id ?? 0)
}

/** Gives a new job to each due or retrying task of the deliveries, even if the task already has a job. */
export async function addMissingJobs(transaction: Transaction, jobs: JobQueue, ids: readonly number[]): Promise<void> {
  await lockDeliveries(transaction, ids)
  const due = await transaction.all<DueTask>(renewJobs, ids)
  await jobs.prepare(new Set(due.map(({ handler }) => handler)))
  await jobs.add(transaction, due)
}

/**
 * Makes the first task of each idle queue due, if it is blocked. A task can stay blocked if it is added to a queue
 * while another transaction promotes the first task of the queue.
 */
export async function unblockFirstTasks(transaction: Transaction, jobs: JobQueue): Promise<void> {
  const blocked = await transaction.all<{ id: number }>(selectBlocked, maxRepaired)
  if (blocked.length === 0) return
  const ids = await lockDeliveries(transaction, idsOf(blocked))
  await lockOrderKeysOf(transaction, ids)
  await jobs.add(transaction, await promoteNext(transaction, ids))
}

/**
 * Corrects the times that a wrong clock has set: makes a retrying task due if it would wait for longer than its delay.
 */
export async function correctClockSkew(transaction: Transaction, jobs: JobQueue, now: number): Promise<void> {
  const skewed = await transaction.all<{ id: number; handler: string }>(selectSkewed, now + clockTolerance, maxRepaired)
  if (skewed.length === 0) return
  const ids = await lockDeliveries(transaction, idsOf(skewed))
  const [handlers, newJobs] = [skewed.map(({ handler }) => handler), skewed.map(() => newJob())]
  await jobs.add(transaction, await transaction.all(makeDue, idsOf(skewed), handlers, newJobs, now))
  await updateDeliveryStates(transaction, ids)
}

const isOrdered = `order_hash is not null and state in ('pending', 'running', 'retrying')`

const selectTasks = (jobs: JobQueue) => `
  select delivery_id as id, ${jobs.isAlive('due.job')} as "hasJob"
  from (
    select delivery_id, job from tasks
    where next_at is not null and delivery_id > $1
    order by delivery_id
    fetch first $2 rows with ties
  ) as due
  order by delivery_id`

const renewJobs = `
  update tasks set job = gen_random_uuid()
  where delivery_id = any($1::bigint[]) and next_at is not null
  returning delivery_id as id, handler, job, next_at as at`

/** Finds the first task of each queue by one index seek, because a queue may be very long. */
const selectBlocked = `
  with recursive firsts as (
    (select order_hash, delivery_id, state, next_at from tasks where ${isOrdered} order by order_hash, delivery_id limit 1)
    union all
    select next.order_hash, next.delivery_id, next.state, next.next_at
    from firsts, lateral (
      select order_hash, delivery_id, state, next_at from tasks
      where ${isOrdered} and order_hash > firsts.order_hash
      order by order_hash, delivery_id
      limit 1) as next
  )
  select delivery_id as id from firsts
  where state = 'pending' and next_at is null
    and not exists (select 1 from tasks where tasks.order_hash = firsts.order_hash and state = 'running')
  limit $1`

const selectSkewed = `
  select delivery_id as id, handler from tasks
  where state = 'retrying' and next_at > $1 and next_at - delay > $1
  limit $2`

const makeDue = `
  update tasks set next_at = $4, delay = null, job = input.job
  from unnest($1::bigint[], $2::text[], $3::uuid[]) as input (id, handler, job)
  where tasks.delivery_id = input.id and tasks.handler = input.handler and tasks.state = 'retrying'
  returning input.id, input.handler, input.job, next_at as at`

/** Leases of running tasks. When the heartbeats of a worker stop, another process schedules retries of its tasks. */

import { cutOffCounts } from '../../inbox/counts.ts'
import type { HandlerPolicy } from '../../inbox/inbox.ts'
import { expiredLeaseDelay } from '../../inbox/retry.ts'
import { expiredLeaseFailure } from '../../inbox/task-failure.ts'
import { includesAttempt, type LeasedAttempt } from '../../inbox/task-queue.ts'
import { idsOf, recordset } from '../connection/connection.ts'
import type { Transaction } from '../connection/database.ts'
import { readTime } from '../connection/database-clock.ts'
import { addCounts } from '../metadata/statistics.ts'
import { saveFailureGroups } from './failure-groups.ts'
import { lockOrderKeysOf, promoteNext } from './order.ts'
import { finish, lockDeliveries, updateDeliveryStates } from './tasks.ts'
import { recordHandlersSeen } from './unhandled-tasks.ts'
import { deleteWorker, type RegisteredWorker } from './workers.ts'

interface Lease {
  id: number
  handler: string
  attempt: number
  /** The attempts that count against the limit, without this one if the task was claimed ahead. */
  counted: number
  startedAt: number
}

interface ExpiredLease extends Pick<Lease, 'id' | 'handler'> {
  /** Whether the task was claimed ahead, so that its handler may not have begun. */
  ahead: boolean
}

/** Releases the leases of a worker, without counting an attempt, except those of the given attempts. Then commits. */
export async function releaseLeases(
  transaction: Transaction,
  worker: number,
  except: readonly LeasedAttempt[],
): Promise<void> {
  const { now } = await readTime(transaction)
  const leases = await transaction.all<Lease>(selectLeases, worker)
  const released = leases.filter((lease) => !includesAttempt(except, lease))
  await finish(
    transaction,
    released.map(({ id, handler, attempt, startedAt }) => {
      return { worker, id, handler, attempt, outcome: 'released', startedAt, duration: now - startedAt }
    }),
  )
}

/** Releases all leases of a worker, without counting an attempt, removes the worker, and commits. */
export async function releaseWorker(transaction: Transaction, worker: number): Promise<void> {
  const { now } = await readTime(transaction)
  await recordHandlersSeen(transaction, (await deleteWorker(transaction, worker)) ?? [], now)
  await releaseLeases(transaction, worker, [])
}

/**
 * Removes a dead worker, and makes its tasks due again after the delay that each handler's policy sets.
 * @param now By the clock of the database.
 */
export async function reclaimLeases(transaction: Transaction, dead: RegisteredWorker, now: number): Promise<void> {
  const { id, heartbeats, handlers } = dead
  const names = await deleteWorker(transaction, id, heartbeats)
  if (!names) return // the worker has sent a heartbeat meanwhile, or another process has deleted its row
  await recordHandlersSeen(transaction, names, now)
  const policies = new Map(handlers.map((policy) => [policy.name, policy]))
  await expireAll(transaction, await transaction.all<Lease>(selectLeases, id), policies, now)
}

/** Makes running tasks due again, after a delay, if the rows of their workers no longer exist. */
export async function reclaimOrphans(transaction: Transaction, now: number): Promise<void> {
  await expireAll(transaction, await transaction.all<Lease>(selectOrphans), new Map(), now)
}

/**
 * Takes running tasks from removed workers. The tasks are due again after a delay. Their attempts count, except those of
 * tasks that were claimed ahead.
 */
async function expireAll(
  transaction: Transaction,
  leases: readonly Lease[],
  policies: ReadonlyMap<string, HandlerPolicy>,
  now: number,
): Promise<void> {
  if (leases.length === 0) return
  const failures = leases.map(({ handler }) => expiredLeaseFailure(handler, now))
  const rows = leases.map(({ id, handler, attempt, counted }, index) => {
    const delay = expiredLeaseDelay(counted, policies.get(handler))
    const failure = { failure_group: failures[index]?.id, failed_at: now }
    return { delivery_id: id, handler, attempt, next_at: now + delay, delay, ...failure }
  })
  const ids = await lockDeliveries(transaction, idsOf(leases))
  await saveFailureGroups(transaction, failures)
  await lockOrderKeysOf(transaction, ids)
  const expired = await transaction.all<ExpiredLease>(expireTasks, recordset(rows))
  const begun = expired.filter(({ ahead }) => !ahead).map(({ handler }) => handler)
  if (begun.length > 0) await addCounts(transaction, cutOffCounts(begun, now))
  await promoteNext(transaction, ids)
  transaction.due = true // the delay may be 0
  await updateDeliveryStates(transaction, new Set(idsOf(expired)))
}

const columns = `
  delivery_id as id, handler, attempt, attempts_used - uncounted - claimed_ahead::int as counted, started_at as "startedAt"`

const selectLeases = `select ${columns} from tasks where worker = $1`

const selectOrphans = `
  select ${columns} from tasks
  where worker is not null and not exists (select 1 from workers where workers.id = tasks.worker)`

const expireTasks = `
  with input as materialized (
    select * from json_to_recordset($1::json) as input (
      delivery_id bigint, handler text, attempt int, next_at bigint, delay bigint, failure_group bigint, failed_at bigint)
  ), running as materialized (
    select tasks.delivery_id, tasks.handler, tasks.attempt, tasks.started_at, tasks.claimed_ahead
    from tasks join input using (delivery_id, handler, attempt)
    where tasks.state = 'running'
  ), recorded as (
    insert into attempts (delivery_id, handler, number, started_at, outcome)
    select delivery_id, handler, attempt, started_at, 'cut off' from running
  )
  update tasks
  set state = 'retrying', next_at = input.next_at, delay = input.delay,
      uncounted = tasks.uncounted + tasks.claimed_ahead::int, claimed_ahead = false, worker = null,
      started_at = null, failure_group = input.failure_group, failed_at = input.failed_at
  from running join input using (delivery_id, handler, attempt)
  where tasks.delivery_id = running.delivery_id and tasks.handler = running.handler
  returning tasks.delivery_id as id, tasks.handler, running.claimed_ahead as ahead`

/**
 * Leases of running tasks. A worker holds its leases for as long as its heartbeats go on; when they stop, another process
 * reclaims them, and the tasks are due again.
 */
import type { HandlerPolicy } from '../inbox/inbox.ts'
import { expiredLeaseDelay } from '../inbox/retry.ts'
import type { JobQueue } from './job-queue.ts'
import { deleteSilentWorker, deleteWorker, type RegisteredWorker } from './registry.ts'
import { expireLeases, finish } from './tasks.ts'
import type { Transaction } from './transaction.ts'

interface Lease {
  delivery_id: number
  handler: string
  attempt: number
  attempts_used: number
  started_at: number
}

/** Releases the leases of a worker, without counting an attempt, removes the worker, and commits. */
export async function releaseWorker(
  transaction: Transaction,
  jobs: JobQueue,
  worker: number,
  now: number,
): Promise<void> {
  await deleteWorker(transaction, worker)
  const released = (await transaction.all<Lease>(selectLeases, worker)).map((lease) => {
    const { delivery_id: id, handler, attempt, started_at: startedAt } = lease
    return { worker, id, handler, attempt, outcome: 'released', startedAt, duration: now - startedAt } as const
  })
  await finish(transaction, jobs, released)
}

/** Makes the tasks of a dead worker due again, after the delay that each handler's policy sets. */
export async function reclaimLeases(
  transaction: Transaction,
  jobs: JobQueue,
  dead: RegisteredWorker,
  now: number,
): Promise<void> {
  if (!(await deleteSilentWorker(transaction, dead))) return
  const policies = new Map(dead.handlers.map((policy) => [policy.name, policy]))
  await expireAll(transaction, jobs, await transaction.all<Lease>(selectLeases, dead.id), policies, now)
}

/** Makes tasks due again whose worker no longer exists. */
export async function reclaimOrphans(transaction: Transaction, jobs: JobQueue, now: number): Promise<void> {
  await expireAll(transaction, jobs, await transaction.all<Lease>(selectOrphans), new Map(), now)
}

async function expireAll(
  transaction: Transaction,
  jobs: JobQueue,
  leases: readonly Lease[],
  policies: ReadonlyMap<string, HandlerPolicy>,
  now: number,
): Promise<void> {
  if (leases.length === 0) return
  const tasks = leases.map(({ delivery_id: id, handler, attempt, attempts_used }) => {
    return { id, handler, attempt, wait: expiredLeaseDelay(attempts_used, policies.get(handler)) }
  })
  await expireLeases(transaction, jobs, tasks, now)
}

const selectLeases = 'select delivery_id, handler, attempt, attempts_used, started_at from tasks where worker = $1'

const selectOrphans = `
  select delivery_id, handler, attempt, attempts_used, started_at from tasks
  where worker is not null and not exists (select 1 from workers where workers.id = tasks.worker)`

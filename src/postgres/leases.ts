/** Leases. What runs is leased to a worker, and a worker holds its leases for as long as it beats. */

import type { WorkerHeartbeat } from '../inbox/heartbeat-monitor.ts'
import type { HandlerPolicy } from '../inbox/inbox.ts'
import { expiredLeaseDelay } from '../inbox/retry.ts'
import type { Session, Sql } from './connection.ts'
import type { JobQueue } from './job-queue.ts'
import { expireLeases, finish } from './tasks.ts'

export interface WorkerRow extends WorkerHeartbeat {
  handlers: readonly HandlerPolicy[]
}

interface Lease {
  delivery_id: number
  handler: string
  attempt: number
  attempts_used: number
  started_at: number
}

/** The workers of a process, with their handlers. */
export type WorkersOfProcess = ReadonlyMap<number, readonly HandlerPolicy[]>

/** @param interval Milliseconds between two beats of this process. */
export async function registerWorker(sql: Sql, handlers: readonly HandlerPolicy[], interval: number): Promise<number> {
  const row = await sql.get<{ id: number }>(insertWorker, JSON.stringify(handlers), interval)
  return row?.id as number
}

/** Says that a worker has other handlers by now. */
export async function updateWorker(sql: Sql, worker: number, handlers: readonly HandlerPolicy[]): Promise<void> {
  await sql.run(updateHandlers, JSON.stringify(handlers), worker)
}

/** @throws {Error} if the worker was given up: whatever it began would belong to nobody. */
export async function checkRegistered(session: Session, worker: number): Promise<void> {
  // Shared, so that nobody gives it up before what it begins now is there to be taken over.
  if (await session.get('select 1 from workers where id = $1 for key share', worker)) return
  throw new Error(`Worker ${worker} has been silent for so long that it was taken to be dead`)
}

/** Gives back what a worker holds, at once and without counting an attempt. */
export async function releaseWorker(session: Session, jobs: JobQueue, worker: number, now: number): Promise<void> {
  await session.run(deleteWorker, worker)
  const released = (await session.all<Lease>(selectLeases, worker)).map((lease) => {
    const { delivery_id: id, handler, attempt, started_at: startedAt } = lease
    return { worker, id, handler, attempt, outcome: 'released', startedAt, duration: now - startedAt } as const
  })
  await (await finish(session, jobs, released))()
}

/** Has the workers of this process beat. One that was given up while it could not beat comes back without its leases. */
export async function renewLeases(sql: Sql, workers: WorkersOfProcess, interval: number): Promise<void> {
  for (const [id, handlers] of workers) await sql.run(upsertHeartbeat, id, JSON.stringify(handlers), interval)
}

/** All workers of all processes. */
export function allWorkers(sql: Sql): Promise<WorkerRow[]> {
  return sql.all('select id, handlers, heartbeats, interval from workers')
}

/** Makes the tasks of a dead worker due again, after the wait that each handler's policy sets. */
export async function reclaimLeases(session: Session, jobs: JobQueue, dead: WorkerRow, now: number): Promise<void> {
  if ((await session.run(deleteSilent, dead.id, dead.heartbeats)) === 0) return // it beats again, or another was quicker
  const policies = new Map(dead.handlers.map((policy) => [policy.name, policy]))
  await expireAll(session, jobs, await session.all<Lease>(selectLeases, dead.id), policies, now)
}

/** Takes over what runs for nobody. */
export async function reclaimOrphans(session: Session, jobs: JobQueue, now: number): Promise<void> {
  await expireAll(session, jobs, await session.all<Lease>(selectOrphans), new Map(), now)
}

async function expireAll(
  session: Session,
  jobs: JobQueue,
  leases: readonly Lease[],
  policies: ReadonlyMap<string, HandlerPolicy>,
  now: number,
): Promise<void> {
  if (leases.length === 0) return
  const tasks = leases.map(({ delivery_id: id, handler, attempt, attempts_used }) => {
    return { id, handler, attempt, wait: expiredLeaseDelay(attempts_used, policies.get(handler)) }
  })
  await expireLeases(session, jobs, tasks, now)
}

const insertWorker = 'insert into workers (handlers, interval) values ($1::jsonb, $2) returning id'

const updateHandlers = 'update workers set handlers = $1::jsonb where id = $2'

const deleteWorker = 'delete from workers where id = $1'

const deleteSilent = 'delete from workers where id = $1 and heartbeats = $2'

const upsertHeartbeat = `
  insert into workers (id, handlers, interval) overriding system value values ($1, $2::jsonb, $3)
  on conflict (id) do update set heartbeats = workers.heartbeats + 1`

const selectLeases = 'select delivery_id, handler, attempt, attempts_used, started_at from tasks where worker = $1'

const selectOrphans = `
  select delivery_id, handler, attempt, attempts_used, started_at from tasks
  where worker is not null and not exists (select 1 from workers where workers.id = tasks.worker)`

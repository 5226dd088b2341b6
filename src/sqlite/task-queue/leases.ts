/**
 * Leases of running tasks. A worker holds its leases for as long as its heartbeats go on. When the heartbeats stop,
 * another process reclaims the leases, and the tasks are due again.
 */
import type { HandlerPolicy } from '../../inbox/inbox.ts'
import { expiredLeaseDelay } from '../../inbox/retry.ts'
import { includesAttempt, type LeasedAttempt } from '../../inbox/task-queue.ts'
import { HeartbeatMonitor, type WorkersOfProcess } from '../../inbox/worker-heartbeats.ts'
import type { Connection } from '../connection/connection.ts'
import { expireLease, finish, updateDeliveryState } from './tasks.ts'
import { recordHandlersSeen } from './unhandled-tasks.ts'
import { deleteWorker, insertWorker, processHasEnded, type RegisteredWorker, workers } from './workers.ts'

interface Lease {
  delivery_id: number
  handler: string
  attempt: number
  /** The attempts that count against the limit, without this one if the task was claimed ahead. */
  counted: number
  started_at: number
}

/**
 * Reclaims the leases of workers whose processes have ended, so that their tasks need not wait until five checks have
 * found no heartbeat. Then registers a worker.
 * @param interval Milliseconds between two heartbeats of this process.
 */
export function registerWorker(
  connection: Connection,
  handlers: readonly HandlerPolicy[],
  interval: number,
  now: number,
): number {
  for (const worker of workers(connection)) if (processHasEnded(worker)) reclaimLeases(connection, worker, now)
  return insertWorker(connection, handlers, interval)
}

/** Releases the leases of a worker, without counting an attempt, except those of the given attempts. */
export function releaseLeases(
  connection: Connection,
  worker: number,
  except: readonly LeasedAttempt[],
  now: number,
): void {
  for (const { delivery_id: id, handler, attempt, started_at: startedAt } of connection.all<Lease>(
    selectLeases,
    worker,
  )) {
    if (includesAttempt(except, { id, handler, attempt })) continue
    finish(connection, worker, { id, handler, attempt, outcome: 'released', startedAt, duration: now - startedAt })
    updateDeliveryState(connection, id)
  }
}

/** Releases all leases of a worker, without counting an attempt, and removes the worker. */
export function releaseWorker(connection: Connection, worker: number, now: number): void {
  releaseLeases(connection, worker, [], now)
  recordHandlersSeen(connection, deleteWorker(connection, worker), now)
}

/** Watches the heartbeats of the workers of other processes. */
export class LeaseMonitor {
  readonly #heartbeats = new HeartbeatMonitor()

  /**
   * Reclaims the leases of dead workers, and of workers that no longer exist.
   * @param alive The workers of this process; none if the event loop of the process has been blocked for too long.
   * @param interval Milliseconds between two checks.
   */
  check(connection: Connection, alive: WorkersOfProcess, interval: number, now: number): void {
    const others = workers(connection).filter(({ id }) => !alive.has(id))
    const silent = new Set(this.#heartbeats.check(others, interval))
    for (const worker of others) {
      if (silent.has(worker) || processHasEnded(worker)) reclaimLeases(connection, worker, now)
    }
    for (const lease of connection.all<Lease>(selectOrphans)) expireTaskLease(connection, lease, undefined, now)
  }
}

/** Removes a dead worker, and makes its tasks due again after the delay that each handler's policy sets. */
function reclaimLeases(connection: Connection, { id, handlers }: RegisteredWorker, now: number): void {
  const policies = new Map(handlers.map((policy) => [policy.name, policy]))
  for (const lease of connection.all<Lease>(selectLeases, id)) {
    expireTaskLease(connection, lease, policies.get(lease.handler), now)
  }
  recordHandlersSeen(connection, deleteWorker(connection, id), now)
}

function expireTaskLease(connection: Connection, lease: Lease, policy: HandlerPolicy | undefined, now: number): void {
  expireLease(connection, lease.delivery_id, lease.handler, expiredLeaseDelay(lease.counted, policy), now)
}

const columns = 'delivery_id, handler, attempt, attempts_used - uncounted - claimed_ahead as counted, started_at'

const selectLeases = `select ${columns} from tasks where worker = ?`

const selectOrphans = `
  select ${columns} from tasks
  where worker is not null and worker not in (select id from workers)`

/** The heartbeats of workers. The other processes watch them, and take over the tasks of a dead worker. */
import { defaultTimeout } from './retry.ts'
import type { HandlerPolicy } from './task-queue.ts'

/** The workers of a process, with their handlers. */
export type WorkersOfProcess = Map<number, readonly HandlerPolicy[]>

/** Minimum milliseconds for which an event loop is blocked before its process counts as stuck. */
const minStuckTime = 60_000

/**
 * Whether the event loop of a process has been blocked for more than a minute, and for longer than the longest timeout
 * of its handlers.
 * @param silentFor Milliseconds since the last ping of the process.
 */
export function isStuck(workers: WorkersOfProcess, silentFor: number): boolean {
  const timeouts = [...workers.values()].flat().map(({ timeout = defaultTimeout }) => timeout)
  return silentFor > Math.max(minStuckTime, ...timeouts)
}

/** A worker as other processes see it. */
export interface WorkerHeartbeat {
  id: number
  /** The number of its latest heartbeat. */
  heartbeats: number
  /** Milliseconds between two heartbeats. */
  interval: number
}

/** The number of checks in a row without a new heartbeat after which a worker is dead. */
const maxMissed = 5

/**
 * Milliseconds without a heartbeat for which no other process reclaims the leases of a worker, from any moment on at which
 * the worker runs. The latest heartbeat may be two intervals older: the registration may take one, and the first
 * heartbeat follows one later.
 * @param interval Milliseconds between two heartbeats.
 */
export const leaseDuration = (interval: number): number => Math.min((maxMissed - 2) * interval, minStuckTime)

/**
 * Watches the heartbeats of all workers. It counts checks instead of time, so that no lease expires because a clock
 * jumps or the store was unavailable: a worker is dead once several checks in a row have found no new heartbeat.
 */
export class HeartbeatMonitor {
  readonly #seen = new Map<number, { heartbeats: number; missed: number }>()

  /**
   * Checks all workers once. If the heartbeats of a worker are less frequent than the checks, its limit is higher:
   * `maxMissed` is multiplied by the ratio of the two intervals, rounded up.
   * @param interval Milliseconds between two checks.
   * @returns the workers that are dead.
   */
  check<Worker extends WorkerHeartbeat>(workers: readonly Worker[], interval: number): Worker[] {
    const dead = workers.filter((worker) => {
      const before = this.#seen.get(worker.id)
      const missed = before?.heartbeats === worker.heartbeats ? before.missed + 1 : 0
      this.#seen.set(worker.id, { heartbeats: worker.heartbeats, missed })
      return missed >= maxMissed * Math.ceil(Math.max(1, worker.interval / interval))
    })
    const alive = new Set(workers.map(({ id }) => id))
    for (const { id } of dead) alive.delete(id)
    for (const id of this.#seen.keys()) if (!alive.has(id)) this.#seen.delete(id)
    return dead
  }
}

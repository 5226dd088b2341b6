/** A worker as other processes see it. */
export interface WorkerHeartbeat {
  id: number
  /** The number of its heartbeats. */
  heartbeats: number
  /** Milliseconds between two heartbeats. */
  interval: number
}

/** Checks without a new heartbeat after which a worker is dead. */
const maxMissed = 5

/**
 * Watches the heartbeats of workers from one process. Heartbeats are counted and not timed: a worker is dead once several
 * checks in a row have found no new heartbeat. So no lease expires because a clock jumps, or because the store was
 * unavailable for a while.
 */
export class HeartbeatMonitor {
  readonly #seen = new Map<number, { heartbeats: number; missed: number }>()

  /**
   * Checks all workers once. A worker with a longer interval than this process may miss more checks.
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

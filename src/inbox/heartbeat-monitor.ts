/** A worker as others see it. */
export interface WorkerHeartbeat {
  id: number
  /** Counts its heartbeats. */
  heartbeats: number
  /** Milliseconds between two of them. */
  interval: number
}

/** How often a worker may be seen without a new beat. */
const maxMissed = 5

/**
 * Watches the beats of workers from one process. Beats are counted and not timed: a worker is given up once others have
 * looked several times and found no new beat, so that neither a clock that jumps nor a store that was away takes a lease
 * from anybody.
 */
export class HeartbeatMonitor {
  readonly #seen = new Map<number, { beat: number; silent: number }>()

  /**
   * Looks once. Other processes may beat more seldom, and have so much longer.
   * @param interval Milliseconds between two looks.
   * @returns those that are taken to be dead.
   */
  check<Worker extends WorkerHeartbeat>(workers: readonly Worker[], interval: number): Worker[] {
    const dead = workers.filter((worker) => {
      const before = this.#seen.get(worker.id)
      const silent = before?.beat === worker.heartbeats ? before.silent + 1 : 0
      this.#seen.set(worker.id, { beat: worker.heartbeats, silent })
      return silent >= maxMissed * Math.ceil(Math.max(1, worker.interval / interval))
    })
    const present = new Set(workers.map(({ id }) => id))
    for (const { id } of dead) present.delete(id)
    for (const id of this.#seen.keys()) if (!present.has(id)) this.#seen.delete(id)
    return dead
  }
}

/**
 * When due tasks end as `gone`, because no worker has registered their handler for the time `vanishAfter`. The stores
 * record when each handler was last registered, as `seen_at`. They check all handlers at every heartbeat of a worker
 * (SQLite), or at every reconciliation (PostgreSQL).
 */
import { clockTolerance } from './processes.ts'
import type { GoneTasks } from './task-queue.ts'

/** Milliseconds: the precision of `seen_at`. It is coarse to save writes. */
export const seenPrecision = 60_000

/** Milliseconds: the maximum age of the newest `seen_at` while a worker runs. It includes an interval between checks. */
const maxSeenAge = 3 * seenPrecision

/**
 * The milliseconds to add to each `seen_at` before a check. Time without any worker does not count: after an outage,
 * the programs start one after the other, and the first one must not end the tasks of the others. So if `newest` is too
 * old, no worker has run since then, and all handlers were last seen that much later. A clock that was set forward
 * looks the same. If `newest` is in the future, the clock was set back, and the result is negative.
 * @param newest The newest `seen_at`; `null` if there is none.
 */
export function seenShift(newest: number | null, now: number): number {
  const age = newest === null ? 0 : now - newest
  return age > maxSeenAge || age < -clockTolerance ? age : 0
}

/** Maximum tasks that one transaction ends, in SQLite of each handler, so that other work need not wait for long. */
export const goneBatch = 1000

/** Whether the transaction that has ended these tasks may have left others, which the next transaction ends. */
export const mayHaveMore = (gone: readonly GoneTasks[]): boolean =>
  gone.reduce((sum, { count }) => sum + count, 0) >= goneBatch

/** How many of the tasks belong to each handler. */
export function countByHandler(gone: readonly { handler: string; count?: number }[]): GoneTasks[] {
  const byHandler = Map.groupBy(gone, ({ handler }) => handler)
  return [...byHandler].map(([handler, tasks]) => {
    return { handler, count: tasks.reduce((sum, { count = 1 }) => sum + count, 0) }
  })
}

/** The reason that a delivery shows after one of its tasks has ended as `gone`. */
export const goneReason = (handler: string): string =>
  `The task of ${handler} ended as gone, because no worker had registered this handler for the time "vanishAfter"`

/**
 * The listeners of the workers of this process. A process reports gone tasks once, even if it has several workers. If the
 * maintenance ends tasks before the first worker listens, this worker gets them later.
 */
export class GoneListeners {
  readonly #listeners = new Map<number, (tasks: GoneTasks) => void>()
  #unreported: GoneTasks[] = []

  add(worker: number, listener: (tasks: GoneTasks) => void): void {
    this.#listeners.set(worker, listener)
    const unreported = this.#unreported
    this.#unreported = []
    for (const tasks of unreported) listener(tasks)
  }

  remove(worker: number): void {
    this.#listeners.delete(worker)
  }

  report(tasks: GoneTasks): void {
    const [listener] = this.#listeners.values()
    if (listener) listener(tasks)
    else this.#unreported = countByHandler([...this.#unreported, tasks])
  }
}

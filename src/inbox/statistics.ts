import type { Count, CountQuery } from './counts.ts'
import type { HandlerLoad } from './handler-loads.ts'
import type { Rejection, Rejections } from './records.ts'

/**
 * Counts of events, and rejected requests. Receivers and workers write them in the background (`background-writes.ts`),
 * and the dashboard reads them. The store itself counts an attempt as `cut off` when it expires the lease, unless the task
 * was claimed ahead.
 */
export interface Statistics {
  /** Adds to the counts by minute and by hour and, for rejected requests, to the totals by code. */
  addCounts(counts: readonly Count[]): Promise<void>
  /** Sums of counts by step, without the steps in which nothing happened. */
  counts(query: CountQuery): Promise<Count[]>
  /**
   * The handlers that have tasks to run now, or that run. Reads at most `maxWaiting` of the due tasks of a
   * handler, and of the tasks that wait for another one with their order key.
   * @param now Tasks whose next attempt is later do not wait.
   */
  handlerLoads(now: number): Promise<HandlerLoad[]>
  /** Stores rejected requests, and keeps the newest 1,000. Does not count them: the caller does, with `addCounts`. */
  recordRejections(rejections: readonly Rejection[]): Promise<void>
  /** The newest rejected requests, and the number of all rejected requests by code. */
  rejections(): Promise<Rejections>
}

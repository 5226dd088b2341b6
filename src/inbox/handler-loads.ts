/** How much work waits for each handler. */

/** The tasks of a handler that wait for an attempt, and those that run. */
export interface HandlerLoad {
  /** The name of the handler. */
  handler: string
  /** Tasks that are due, and tasks that wait for another one with their order key. */
  waiting: number
  /**
   * When the longest wait began, in milliseconds since 1970: the receipt of the delivery, or the time from which on the
   * task may be retried. `undefined` if no task waits.
   */
  waitingSince: number | undefined
  /** Attempts that run, in all processes. */
  running: number
}

/** Maximum tasks that a store reads to count those that wait. */
export const maxWaiting = 10_000

/** A part of the tasks of a handler, as a store reads it. */
export interface LoadRow {
  handler: string
  waiting?: number
  since?: number | null
  running?: number
}

/** Adds up the rows of each handler. */
export function toHandlerLoads(rows: readonly LoadRow[]): HandlerLoad[] {
  const loads = new Map<string, HandlerLoad>()
  for (const { handler, waiting = 0, since, running = 0 } of rows) {
    const load = loads.get(handler) ?? { handler, waiting: 0, waitingSince: undefined, running: 0 }
    load.waiting += waiting
    load.running += running
    if (waiting > 0) load.waitingSince = Math.min(load.waitingSince ?? Number.POSITIVE_INFINITY, since ?? 0)
    loads.set(handler, load)
  }
  return [...loads.values()].filter(({ waiting, running }) => waiting + running > 0)
}

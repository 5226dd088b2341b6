import type { Condition, Query } from './query.ts'

/** Which deliveries to count by their time of receipt, and how long to count. */
export interface TimeCountQuery {
  /** The deliveries. A query with `paths` is not counted, because the payloads would have to be read. */
  query: Omit<Query, 'limit' | 'budget' | 'paths'>
  /** The length of a step in milliseconds. Steps begin at multiples of it. */
  step: number
}

/** The deliveries that were received in a step of time, among those that one call has counted. */
export interface TimeCount {
  /** The beginning of the step, in milliseconds since 1970. */
  at: number
  /** How many deliveries the step has. */
  count: number
  /** How many of them are `dead` or `retrying`. */
  failed: number
}

/** The counts of one call. A call ends after 30 milliseconds, so that the store can answer other calls. */
export interface TimeCounts {
  /** Sums of counts by step, in any order, without the steps in which nothing was received. */
  counts: TimeCount[]
  /** The value of `before` for the call that counts the remaining deliveries. `undefined` if none are left. */
  next: number | undefined
}

/** Milliseconds after which a call returns. */
export const countBudget = 30

/** The condition that a handler failed, and the delivery is not done. */
export const isFailed: Condition = {
  text: 'state:dead,retrying',
  expression: {
    any: [
      { column: 'state', is: 'dead' },
      { column: 'state', is: 'retrying' },
    ],
  },
}

/** Adds up the counts of several calls. */
export class TimeCountSum {
  readonly #steps = new Map<number, TimeCount>()

  add(counts: Iterable<TimeCount>): void {
    for (const { at, count, failed } of counts) {
      const step = this.#steps.get(at)
      if (!step) this.#steps.set(at, { at, count, failed })
      else {
        step.count += count
        step.failed += failed
      }
    }
  }

  get counts(): TimeCount[] {
    return [...this.#steps.values()]
  }
}

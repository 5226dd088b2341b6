/**
 * Counts of events, for statistics. The inbox keeps them, so that they outlive a process and add up over all processes.
 */
import { day, hour, minute } from '../runtime/units.ts'

/** Each comment has the form `counted events: name; outcome`, where `name` and `outcome` are members of a `Count`. */
export const measures = [
  /** Verified deliveries: the event; `stored`, `rearmed` or `duplicate`. */
  'received',
  /** Rejected requests: the error code. */
  'rejected',
  /** Attempts: the handler; how the attempt ended. The store counts those that are cut off. */
  'attempts',
  /** 2xx responses: milliseconds, rounded to two digits. */
  'answers',
  /** Verified deliveries: the index of the secret that signed them. */
  'secrets',
  /** Attempts that were not released: the handler; milliseconds, see `latencies.ts`. */
  'durations',
  /** Attempts that succeeded: the handler; milliseconds since the receipt of the delivery, as in `durations`. */
  'completions',
  /**
   * Sums over samples of the load of handlers: the handler; `waiting` for tasks, `age` for the milliseconds that the
   * oldest one has waited. Without a name and an outcome: the number of samples.
   */
  'loads',
] as const
/** A kind of events, or of samples, that the inbox counts. */
export type Measure = (typeof measures)[number]

/** A number of events in one step of time. */
export interface Count {
  /** Milliseconds since 1970; in query results, the beginning of the step. */
  at: number
  /** The kind of events that was counted. */
  measure: Measure
  /** The name within the measure, such as that of an event or a handler. See `measures`. */
  name: string
  /** Empty if the measure has no outcomes. */
  outcome: string
  /** How many events there were in the step. */
  count: number
}

/** Which counts to read, and the length of their steps. */
export interface CountQuery {
  /** The beginning of the first step, in milliseconds since 1970. */
  since: number
  /**
   * Milliseconds: a multiple of a minute if the step is shorter than an hour, else a multiple of an hour. The counts of
   * minutes are kept for 26 hours, the counts of hours for 31 days.
   */
  step: number
  /** Default: all measures. */
  measures?: readonly Measure[] | undefined
  /**
   * Reads only the counts of these names, in steps that have begun: a lookup for each name, measure and step, however
   * many other names there are. Default: all names.
   */
  names?: readonly string[] | undefined
  /** Whether to add up the counts of all names, whose `name` is then empty. There may be many of them. */
  sumNames?: boolean | undefined
  /** Whether to add up the counts of all steps, whose `at` is then `since`. */
  sumSteps?: boolean | undefined
}

/**
 * The step of the latencies and loads of handlers, in milliseconds. It is longer than a minute, because a handler has
 * many rows in each step: one for each bucket.
 */
export const handlerStep: number = 5 * minute

/** Milliseconds for which counts are kept, by step. */
export const countRetention: readonly { step: number; age: number }[] = [
  { step: minute, age: 26 * hour },
  { step: hour, age: 31 * day },
]

/** The step of totals, which are never deleted. */
export const totalStep = 0

/** A row of the table of counts: a count within one step. */
export interface CountRow extends Count {
  step: number
}

/** When the stored steps of a query begin that have begun by `now`, for the query of some names. */
export function stepsOf({ since, step }: CountQuery, now: number): number[] {
  const stored = storedStep(step)
  const first = Math.ceil(since / stored) * stored
  return Array.from(
    { length: Math.max(0, Math.floor((now - first) / stored) + 1) },
    (_, index) => first + index * stored,
  )
}

/** The step of the counts that are added up to a step of a query. */
export const storedStep = (step: number): number => (step < hour ? minute : hour)

/** The rows that a count is added to: a minute, an hour and, for rejected requests, the total by code. */
export function toCountRows(counts: readonly Count[]): CountRow[] {
  return counts.flatMap((count) => {
    const rows = countRetention.map(({ step }) => ({ ...count, step, at: count.at - (count.at % step) }))
    return count.measure === 'rejected' ? [...rows, { ...count, step: totalStep, at: 0 }] : rows
  })
}

/**
 * The counts of attempts whose leases have expired. Their worker cannot count them. @param handlers One for each attempt.
 */
export function cutOffCounts(handlers: readonly string[], at: number): Count[] {
  return handlers.map((name) => ({ at, measure: 'attempts', name, outcome: 'cut off', count: 1 }))
}

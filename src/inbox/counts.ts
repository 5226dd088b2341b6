/** Counts of events, for statistics. The inbox keeps them, so that they outlive a process and add up over all processes. */

export const minute = 60_000
export const hour: number = 60 * minute
export const day: number = 24 * hour

/** Each comment gives the counted events, then the `name` of a count and, after a semicolon, its `outcome`. */
export type Measure =
  /** Verified deliveries: the event; `stored`, `rearmed` or `duplicate`. */
  | 'received'
  /** Rejected requests: the error code. */
  | 'rejected'
  /** Attempts: the handler; how the attempt ended. */
  | 'attempts'
  /** 2xx responses: milliseconds, rounded to two digits. */
  | 'answers'
  /** Verified deliveries: the index of the secret that signed them. */
  | 'secrets'

export interface Count {
  /** Milliseconds since 1970; in query results, the beginning of the step. */
  at: number
  measure: Measure
  name: string
  /** Empty if the measure has no outcomes. */
  outcome: string
  count: number
}

export interface CountQuery {
  /** The beginning of the first step, in milliseconds since 1970. */
  since: number
  /** Milliseconds: a multiple of minutes, which are kept for a day, or of hours, which are kept for a month. */
  step: number
}

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

/** The rows that counts add to: a minute, an hour and, for rejected requests, the total by code. */
export function toCountRows(counts: readonly Count[]): CountRow[] {
  return counts.flatMap((count) => {
    const rows = countRetention.map(({ step }) => ({ ...count, step, at: count.at - (count.at % step) }))
    return count.measure === 'rejected' ? [...rows, { ...count, step: totalStep, at: 0 }] : rows
  })
}

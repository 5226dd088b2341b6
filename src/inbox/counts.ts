/** How often things happened, for statistics: kept by the inbox, so that they outlive a process and are those of all. */

export const minute = 60_000
export const hour: number = 60 * minute

/** What is counted, what its `name` is, and its `outcome`. */
export type Measure =
  /** Verified deliveries: the event; `stored`, `rearmed` or `duplicate`. */
  | 'received'
  /** Requests that were refused: the code. */
  | 'refused'
  /** Attempts: the handler; how they ended. */
  | 'attempts'
  /** Answers 2xx: milliseconds, to two digits. */
  | 'answers'
  /** Verified deliveries: the index of the secret that signed them. */
  | 'secrets'

export interface Count {
  /** When, in milliseconds since 1970; the beginning of the step in what is read. */
  at: number
  measure: Measure
  name: string
  /** Empty where there is none. */
  outcome: string
  count: number
}

export interface CountQuery {
  /** From the step on that begins then, in milliseconds since 1970. */
  since: number
  /** Milliseconds of a step: whole minutes, of which a day is kept; or whole hours, of which a month is. */
  step: number
}

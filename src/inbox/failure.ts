/** The last time that a handler failed. */
export interface Failure {
  handler: string
  /** The delivery. */
  id: number
  /** When, in milliseconds since 1970. */
  at: number
  /** The first line of what was thrown. */
  error: string | undefined
}

export interface FailureRow {
  handler: string
  id: number
  at: number
  error: string | null
}

/** Attempts that a store looks at, those of the newest deliveries. */
export const mostAttempts = 2000

/** Characters of an error: more are in the delivery. */
export const longestError = 300

export function failureOf({ error, ...row }: FailureRow): Failure {
  return { ...row, error: error?.trimStart().split('\n', 1)[0]?.slice(0, longestError) }
}

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

/** What a list shows of a delivery's last failure, if no later attempt of the same handler has succeeded. */
export interface LastError {
  handler: string
  /** The first line of what was thrown. */
  error: string | undefined
}

/** Attempts that a store looks at, those of the newest deliveries. */
export const maxAttemptsRead = 2000

/** Characters of an error: more are in the delivery. */
export const maxErrorLength = 300

export const toFailure = ({ error, ...row }: FailureRow): Failure => ({ ...row, error: firstLine(error) })

export const lastErrorOf = ({ handler, error }: Pick<FailureRow, 'handler' | 'error'>): LastError => {
  return { handler, error: firstLine(error) }
}

const firstLine = (error: string | null): string | undefined =>
  error?.trimStart().split('\n', 1)[0]?.slice(0, maxErrorLength)

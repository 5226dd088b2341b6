/** The last failure of a handler. */
export interface Failure {
  handler: string
  /** The id of the delivery. */
  id: number
  /** Milliseconds since 1970. */
  at: number
  /** The first line of the error. */
  error: string | undefined
}

export interface FailureRow {
  handler: string
  id: number
  at: number
  error: string | null
}

/** The last failure of a delivery, if no later attempt of the same handler has succeeded. */
export interface LastError {
  handler: string
  /** The first line of the error. */
  error: string | undefined
}

/** Attempts that a store reads to find failures: those of the newest deliveries. */
export const maxAttemptsRead = 2000

/** Characters of an error in a list; the delivery shows the whole error. */
export const maxErrorLength = 300

export const toFailure = ({ error, ...row }: FailureRow): Failure => ({ ...row, error: firstLine(error) })

export const lastErrorOf = ({ handler, error }: Pick<FailureRow, 'handler' | 'error'>): LastError => {
  return { handler, error: firstLine(error) }
}

const firstLine = (error: string | null): string | undefined =>
  error?.trimStart().split('\n', 1)[0]?.slice(0, maxErrorLength)

import type { AttemptDetail, DeliverySummary, LastError, TaskState } from './records.ts'

/** Attempts of a delivery so far, those of all its handlers together. */
export type AttemptStats = Pick<DeliverySummary, 'attempts' | 'duration' | 'failure'>

/** The sums as a store selects them. Running attempts are counted, with a duration of 0. */
export interface AttemptStatsRow {
  id: number
  attempts: number
  /** Milliseconds; `null` while no attempt has ended. */
  duration: number | null
  /** The newest failed attempt of a task that is `dead` or `retrying`. */
  failure: Pick<FailureRow, 'handler' | 'error'> | null
}

/** The same from rows that have been read. A running attempt has no row; its task shows it. */
export function sumAttempts(
  id: number,
  tasks: readonly { handler: string; state: TaskState }[],
  attempts: readonly EndedAttempt[],
): AttemptStatsRow {
  const running = tasks.filter(({ state }) => state === 'running').length
  const durations = attempts.flatMap(({ duration }) => duration ?? [])
  const duration = durations.length > 0 ? durations.reduce((sum, one) => sum + one) : null
  const failing = tasks.filter(({ state }) => state === 'dead' || state === 'retrying').map(({ handler }) => handler)
  const failed = attempts.filter(
    ({ handler, outcome }) => failing.includes(handler) && failedOutcomes.includes(outcome),
  )
  const failure = failed.toSorted((a, b) => a.started_at - b.started_at || a.number - b.number).at(-1) ?? null
  return { id, attempts: attempts.length + running, duration, failure }
}

/** A row of an attempt that has ended. */
interface EndedAttempt extends Pick<FailureRow, 'handler' | 'error'> {
  number: number
  started_at: number
  duration: number | null
  outcome: AttemptDetail['outcome']
}

const failedOutcomes: readonly AttemptDetail['outcome'][] = ['failed', 'dead']

export const toAttemptStats = (row: AttemptStatsRow | undefined): AttemptStats => {
  const { attempts = 0, duration, failure } = row ?? {}
  return { attempts, duration: duration ?? undefined, failure: failure ? lastErrorOf(failure) : undefined }
}

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

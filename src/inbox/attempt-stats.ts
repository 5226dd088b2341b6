import { type FailureRow, lastErrorOf } from './failure.ts'
import type { AttemptDetail, DeliverySummary, TaskState } from './records.ts'

/** How much work a delivery has been so far, all its handlers together. */
export type AttemptStats = Pick<DeliverySummary, 'attempts' | 'duration' | 'failure'>

/** As a store adds it up; those that run are attempts, too, and have taken no time yet. */
export interface AttemptStatsRow {
  id: number
  attempts: number
  /** `null` while none has ended. */
  duration: number | null
  /** The newest attempt that failed of a task that is dead, or that waits to be tried again. */
  failure: Pick<FailureRow, 'handler' | 'error'> | null
}

/** The same of rows that have been read: what runs is in its task alone. */
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

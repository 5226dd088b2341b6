import type { AttemptResult } from './inbox.ts'
import type { TaskState } from './records.ts'

/** What becomes of a task whose attempt has ended. */
export interface TaskTransition {
  state: TaskState
  /** When it is due again; 0: at once. */
  nextAt?: number | undefined
  /** Milliseconds that it waits until then, from its failure on. */
  delay?: number | undefined
  /** By how much the count of its attempts changes. */
  attemptsUsedChange: number
}

export function transitionOf(outcome: AttemptResult): TaskTransition {
  const { nextAt, startedAt, duration } = outcome
  const waits = nextAt === undefined ? undefined : nextAt - startedAt - duration
  return { ...transitions[outcome.outcome](outcome), delay: waits }
}

const transitions: Readonly<Record<AttemptResult['outcome'], (outcome: AttemptResult) => TaskTransition>> = {
  succeeded: () => ({ state: 'done', attemptsUsedChange: 0 }),
  failed: ({ nextAt = 0 }) => ({ state: 'retrying', nextAt, attemptsUsedChange: 0 }),
  dead: () => ({ state: 'dead', attemptsUsedChange: 0 }),
  discarded: () => ({ state: 'discarded', attemptsUsedChange: 0 }),
  released: () => ({ state: 'pending', nextAt: 0, attemptsUsedChange: -1 }),
}

import type { Outcome } from './inbox.ts'
import type { TaskState } from './records.ts'

/** What becomes of a task whose attempt has ended. */
export interface TaskEnd {
  state: TaskState
  /** When it is due again; 0: at once. */
  nextAt?: number | undefined
  /** Milliseconds that it waits until then, from its failure on. */
  waits?: number | undefined
  /** By how much the count of its attempts changes. */
  spends: number
}

export function endOf(outcome: Outcome): TaskEnd {
  const { nextAt, startedAt, duration } = outcome
  const waits = nextAt === undefined ? undefined : nextAt - startedAt - duration
  return { ...ends[outcome.outcome](outcome), waits }
}

const ends: Readonly<Record<Outcome['outcome'], (outcome: Outcome) => TaskEnd>> = {
  succeeded: () => ({ state: 'done', spends: 0 }),
  failed: ({ nextAt = 0 }) => ({ state: 'waiting', nextAt, spends: 0 }),
  dead: () => ({ state: 'dead', spends: 0 }),
  discarded: () => ({ state: 'discarded', spends: 0 }),
  released: () => ({ state: 'pending', nextAt: 0, spends: -1 }),
}

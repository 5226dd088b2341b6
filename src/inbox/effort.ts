import type { DeliverySummary, TaskState } from './records.ts'

/** How much work a delivery has been so far, all its handlers together. */
export type Effort = Pick<DeliverySummary, 'attempts' | 'duration'>

/** As a store adds it up; those that run are attempts, too, and have taken no time yet. */
export interface EffortRow {
  id: number
  attempts: number
  /** `null` while none has ended. */
  duration: number | null
}

/** The same of rows that have been read: what runs is in its task alone. */
export function addUp(
  id: number,
  tasks: readonly { state: TaskState }[],
  attempts: readonly { duration: number | null }[],
): EffortRow {
  const running = tasks.filter(({ state }) => state === 'running').length
  const durations = attempts.flatMap(({ duration }) => duration ?? [])
  const duration = durations.length > 0 ? durations.reduce((sum, one) => sum + one) : null
  return { id, attempts: attempts.length + running, duration }
}

export const effortOf = (row: EffortRow | undefined): Effort => {
  return { attempts: row?.attempts ?? 0, duration: row?.duration ?? undefined }
}

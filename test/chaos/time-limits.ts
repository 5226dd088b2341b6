import { setTimeout } from 'node:timers/promises'

/** The time limits of a campaign, in milliseconds. */
export interface TimeLimits {
  /** Workers must have reclaimed the tasks of a dead worker, as the documentation promises. */
  takeover: number
  /** The same for a task that other tasks may delay: those that two crashes cut off run one at a time. */
  inTurn: number
  /** The longest time without progress while a task is due. */
  pause: number
  /** From the last fault until all deliveries are handled. */
  drain: number
}

/**
 * @param factor Above 1 on a machine with other load, where each event takes longer. The tests in `.campaign.ts` files
 *   use 4. So only the long forms, on a machine without other load, check the promised times.
 */
export const timeLimits = (factor = 1): TimeLimits => ({
  takeover: 30_000 * factor,
  inTurn: 120_000 * factor,
  pause: 10_000 * factor,
  drain: 60_000 * factor,
})

export type Condition = () => boolean | Promise<boolean>

/**
 * Waits for a condition that must hold within `limit` milliseconds.
 * @returns how long it took, in milliseconds.
 * @throws {Error} with `what` if the condition does not hold in time.
 */
export async function within(limit: number, what: string, condition: Condition): Promise<number> {
  const began = performance.now()
  while (!(await condition())) {
    if (performance.now() - began > limit) throw new Error(`${what} within ${limit / 1000} s`)
    await setTimeout(10)
  }
  return performance.now() - began
}

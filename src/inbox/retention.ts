import { day } from './counts.ts'
import type { DeliveryState } from './records.ts'

/** States in which a delivery has ended and may be pruned, in the order of pruning: the least interesting first. */
export const prunedStates: readonly DeliveryState[] = ['done', 'ignored', 'discarded', 'dead']

/**
 * Milliseconds for which a tombstone is kept, by which a redelivery of a pruned delivery is recognized. GitHub Enterprise
 * Server allows redeliveries for 7 days; this is a day longer.
 */
export const tombstoneAge: number = 8 * day

/** Milliseconds after its expiry until a store deletes a missed delivery. */
export const missedDeliveryAge: number = 31 * day

/** Missed deliveries that a store lists, besides the `missed` and `requested` ones, with which sweeps continue. */
export const maxEndedMissedDeliveries = 20_000

/** Rows of the change log. A reader that has fallen further behind reads the whole list again. */
export const maxChanges = 20_000

/** Milliseconds by which the clocks of processes may differ. */
export const clockTolerance = 1000

/**
 * The index of durations. A delivery whose attempts took a second or longer together is in a class, and the stores have
 * an index of the classes. A search reads the deliveries of some classes, and checks the duration of each.
 *
 * A class is a power of two, so the index has few values, and a delivery changes its class rarely. Faster deliveries have
 * no class: they are most deliveries, and each entry of an index has its cost.
 */

/** Milliseconds from which a delivery has a class. */
export const minIndexedDuration = 1000
/** The class of deliveries that took 2^31 s or longer. */
export const maxDurationClass = 31

/** @param duration Milliseconds of all ended attempts together. @returns `null` if the delivery has no class. */
export function durationClassOf(duration: number): number | null {
  if (duration < minIndexedDuration) return null
  return Math.min(maxDurationClass, Math.floor(Math.log2(duration / minIndexedDuration)))
}

/** The classes of all deliveries that took longer. `undefined` if some of these deliveries have no class. */
export function durationClassesAbove(ms: number): number[] | undefined {
  const first = durationClassOf(ms)
  return first === null ? undefined : Array.from({ length: maxDurationClass - first + 1 }, (_, index) => first + index)
}

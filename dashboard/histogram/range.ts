/** Ranges of time in a histogram, and the searches for them. */
import type { Histogram } from '../../src/server/api/schemas/responses.ts'
import { valueIn, withValues } from '../deliveries/search.ts'

/** Milliseconds since 1970: from `since` on, and before `until`. */
export interface Range {
  since: number
  until: number
}

/** All steps of the histogram. */
export const wholeOf = ({ since, step, received }: Histogram): Range => ({
  since,
  until: since + received.length * step,
})

/** The steps from one position to another, in any order. Positions are parts of the width: 0 to 1. */
export function rangeBetween(histogram: Histogram, one: number, other: number): Range {
  const [first, last] = [stepAt(histogram, Math.min(one, other)), stepAt(histogram, Math.max(one, other))]
  const { since, step } = histogram
  return { since: since + first * step, until: since + (last + 1) * step }
}

/** The index of the step at a position. */
export const stepAt = ({ received }: Histogram, position: number): number =>
  Math.min(received.length - 1, Math.max(0, Math.floor(position * received.length)))

/** Moves one end of the range by some steps. The range keeps at least one step, and stays in the histogram. */
export function moved(histogram: Histogram, range: Range, end: keyof Range, steps: number): Range {
  const { step } = histogram
  const whole = wholeOf(histogram)
  const at = range[end] + steps * step
  return end === 'since'
    ? { ...range, since: Math.min(range.until - step, Math.max(whole.since, at)) }
    : { ...range, until: Math.max(range.since + step, Math.min(whole.until, at)) }
}

/**
 * The search for the deliveries of the range. An end of the range that is also an end of the histogram changes nothing,
 * so that a search without `until:` still finds new deliveries.
 */
export function searchWithin(text: string, histogram: Histogram, range: Range): string {
  const whole = wholeOf(histogram)
  return withValues(text, {
    since: range.since > whole.since ? timeIn(range.since) : valueIn(text, 'since'),
    until: range.until < whole.until ? timeIn(range.until) : valueIn(text, 'until'),
  })
}

/** A time in a search: in UTC, so that a link means the same to everyone, and without zeros at the end. */
const timeIn = (at: number): string => new Date(at).toISOString().replace(/(:00)?\.000Z$/, 'Z')

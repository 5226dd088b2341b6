/** Ranges of time in a histogram, and the searches for them. */
import type { Histogram } from '../../src/server/api/schemas/responses.ts'
import { valueIn, withValues } from '../deliveries/search.ts'

/** Milliseconds since 1970: from `since` on, and before `until`. An infinite end is an end of the histogram. */
export interface Range {
  since: number
  until: number
}

/** All steps of the histogram. */
export const wholeOf = ({ since, step, received }: Histogram): Range => ({
  since,
  until: since + received.length * step,
})

/** Two positions in the plot, in any order. Positions are parts of the width: 0 to 1. */
export type Span = readonly [one: number, other: number]

/** The steps from one position to another. */
export function rangeBetween(histogram: Histogram, [one, other]: Span): Range {
  const [first, last] = [stepAt(histogram, Math.min(one, other)), stepAt(histogram, Math.max(one, other))]
  const { since, step } = histogram
  return { since: since + first * step, until: since + (last + 1) * step }
}

/** The index of the step at a position. */
const stepAt = ({ received }: Histogram, position: number): number =>
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

/** The range with infinite ends instead of those of the histogram, so that these ends move with newer counts. */
export function withOpenEnds(histogram: Histogram, { since, until }: Range): Range {
  const whole = wholeOf(histogram)
  return {
    since: since > whole.since ? since : Number.NEGATIVE_INFINITY,
    until: until < whole.until ? until : Number.POSITIVE_INFINITY,
  }
}

/** The range in whole steps of newer counts, which begin later. `undefined`: they have no step of the range. */
export function fitted({ since, step, received }: Histogram, range: Range): Range | undefined {
  const stepOf = (at: number) => Math.min(received.length, Math.max(0, Math.round((at - since) / step)))
  const [first, last] = [stepOf(range.since), stepOf(range.until)]
  return first < last ? { since: since + first * step, until: since + last * step } : undefined
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

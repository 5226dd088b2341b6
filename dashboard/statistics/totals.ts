/** Sums of the counters. */
import type { Series } from '../../src/server/api/schemas/responses.ts'

export const sum = (counts: readonly number[]): number => counts.reduce((total, one) => total + one, 0)

/** The sum of several lists, per step. If there are no lists, each sum is 0. */
export function sumPerStep(lists: readonly (readonly number[])[], steps: number): number[] {
  return Array.from({ length: steps }, (_, index) => sum(lists.map((counts) => counts[index] ?? 0)))
}

/** The number of steps of a series. Latencies have an entry for each step, even without counters. */
export const stepsOf = ({ latencies }: Series): number => latencies.length

/** The start of each step, in milliseconds since 1970. */
export const stepStarts = (series: Series): number[] =>
  Array.from({ length: stepsOf(series) }, (_, index) => series.since + index * series.step)

interface EventRow {
  event: string
  /** The number of deliveries in each step. */
  counts: number[]
  total: number
  duplicates: number
}

/** Received deliveries by event, most frequent first. */
export function byEvent(series: Series): EventRow[] {
  const rows = [...Map.groupBy(series.received, ({ event }) => event)].map(([event, lists]) => ({
    event,
    counts: sumPerStep(
      lists.map(({ counts }) => counts),
      stepsOf(series),
    ),
    total: sum(lists.flatMap(({ counts }) => counts)),
    duplicates: sum(lists.filter(({ outcome }) => outcome === 'duplicate').flatMap(({ counts }) => counts)),
  }))
  return rows.toSorted((a, b) => b.total - a.total || (a.event < b.event ? -1 : 1))
}

interface HandlerRow {
  handler: string
  counts: number[]
  attempts: number
  succeeded: number
  failed: number
  dead: number
  /** The share of successes among successes and failures, from 0 to 1. `undefined` if there are none of either. */
  rate: number | undefined
}

/** Attempts by handler, busiest first. */
export function byHandler(series: Series): HandlerRow[] {
  const rows = [...Map.groupBy(series.attempts, ({ handler }) => handler)].map(([handler, lists]) => {
    const of = (outcome: string) =>
      sum(lists.filter((list) => list.outcome === outcome).flatMap(({ counts }) => counts))
    const [succeeded, failed, dead] = [of('succeeded'), of('failed') + of('cut off'), of('dead')]
    const counts = sumPerStep(
      lists.map((list) => list.counts),
      stepsOf(series),
    )
    // Discarded and released attempts are neither successes nor failures.
    const ended = succeeded + failed + dead
    return {
      ...{ handler, counts, attempts: sum(counts), succeeded, failed, dead },
      rate: ended === 0 ? undefined : succeeded / ended,
    }
  })
  return rows.toSorted((a, b) => b.attempts - a.attempts || (a.handler < b.handler ? -1 : 1))
}

/** The last hours of a series. */
export function lastHours(series: Series, hours: number): Series {
  const steps = Math.min(stepsOf(series), Math.ceil((hours * 3_600_000) / series.step))
  const cut = <List extends { counts: number[] }>(lists: List[]): List[] =>
    lists.map((list) => ({ ...list, counts: list.counts.slice(-steps) }))
  return {
    ...series,
    since: series.since + (stepsOf(series) - steps) * series.step,
    received: cut(series.received),
    attempts: cut(series.attempts),
    rejected: cut(series.rejected),
    latencies: series.latencies.slice(-steps),
  }
}

/** Adds up what was counted step by step. */
import type { Series } from '../../src/server/api/schemas/responses.ts'

export const sum = (counts: readonly number[]): number => counts.reduce((total, one) => total + one, 0)

/** Step by step, all lists together; zeros where there are none. */
export function together(lists: readonly (readonly number[])[], steps: number): number[] {
  return Array.from({ length: steps }, (_, index) => sum(lists.map((counts) => counts[index] ?? 0)))
}

/** How many steps a series has, also where nothing was counted. */
export const stepsOf = ({ latencies }: Series): number => latencies.length

/** When each step began, in milliseconds since 1970. */
export const beginnings = (series: Series): number[] =>
  Array.from({ length: stepsOf(series) }, (_, index) => series.since + index * series.step)

export interface EventRow {
  event: string
  /** Step by step. */
  counts: number[]
  total: number
  duplicates: number
}

/** What came in, the most frequent first. */
export function byEvent(series: Series): EventRow[] {
  const rows = [...Map.groupBy(series.received, ({ event }) => event)].map(([event, lists]) => ({
    event,
    counts: together(
      lists.map(({ counts }) => counts),
      stepsOf(series),
    ),
    total: sum(lists.flatMap(({ counts }) => counts)),
    duplicates: sum(lists.filter(({ outcome }) => outcome === 'duplicate').flatMap(({ counts }) => counts)),
  }))
  return rows.toSorted((a, b) => b.total - a.total || (a.event < b.event ? -1 : 1))
}

export interface HandlerRow {
  handler: string
  counts: number[]
  attempts: number
  succeeded: number
  failed: number
  dead: number
  /** Of what ended by itself, from 0 to 1; `undefined` where nothing has. */
  rate: number | undefined
}

/** What handlers did, the busiest first. */
export function byHandler(series: Series): HandlerRow[] {
  const rows = [...Map.groupBy(series.attempts, ({ handler }) => handler)].map(([handler, lists]) => {
    const of = (outcome: string) =>
      sum(lists.filter((list) => list.outcome === outcome).flatMap(({ counts }) => counts))
    const [succeeded, failed, dead] = [of('succeeded'), of('failed') + of('cut off'), of('dead')]
    const counts = together(
      lists.map((list) => list.counts),
      stepsOf(series),
    )
    // An operator's end and a shutdown say nothing about the handler.
    const ended = succeeded + failed + dead
    return {
      ...{ handler, counts, attempts: sum(counts), succeeded, failed, dead },
      rate: ended === 0 ? undefined : succeeded / ended,
    }
  })
  return rows.toSorted((a, b) => b.attempts - a.attempts || (a.handler < b.handler ? -1 : 1))
}

/** The same of the last hours only. */
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

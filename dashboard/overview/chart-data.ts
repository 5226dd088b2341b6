/** The data of the charts, from the counters of the server. */
import type { Percentiles, Series } from '../../src/server/api/schemas/responses.ts'
import { stepStarts, stepsOf, sum, sumPerStep } from '../statistics/totals.ts'

/** A variable of `styles/tokens.css`. */
export type Color = `--chart-${1 | 2 | 3 | 4 | 5 | 6}`

export interface Line {
  name: string
  color: Color
  /** One value per step; `null` without a measurement. */
  values: readonly (number | null)[]
}

export interface ChartData {
  /** The start of each step, in milliseconds since 1970. */
  at: readonly number[]
  /** The length of a step, in milliseconds. */
  step: number
  lines: readonly Line[]
}

interface Outcome {
  name: string
  color: Color
  /** Shown only if it occurs. */
  rare?: boolean
}

/** Received deliveries, by outcome. */
export function received(series: Series): ChartData {
  const outcomes: Outcome[] = [
    { name: 'stored', color: '--chart-1' },
    { name: 'rearmed', color: '--chart-5', rare: true },
    { name: 'duplicate', color: '--chart-3' },
  ]
  const rejected = sumPerStep(
    series.rejected.map(({ counts }) => counts),
    stepsOf(series),
  )
  const lines = byOutcome(series.received, outcomes, series)
  return figures(series, [...lines, { name: 'rejected', color: '--chart-6', values: rejected }])
}

/** Attempts, by outcome. */
export function attempts(series: Series): ChartData {
  const outcomes: Outcome[] = [
    { name: 'succeeded', color: '--chart-4' },
    { name: 'failed', color: '--chart-2' },
    { name: 'dead', color: '--chart-6' },
    { name: 'discarded', color: '--chart-3', rare: true },
    { name: 'released', color: '--chart-5', rare: true },
    { name: 'cut off', color: '--chart-1', rare: true },
  ]
  return figures(series, byOutcome(series.attempts, outcomes, series))
}

/** Milliseconds from a request to its reply. */
export function latencies(series: Series): ChartData {
  const line = (name: keyof Percentiles, color: Color): Line => ({
    ...{ name, color },
    values: series.latencies.map((step) => step?.[name] ?? null),
  })
  return figures(series, [line('p50', '--chart-1'), line('p95', '--chart-2'), line('p99', '--chart-3')])
}

const figures = (series: Series, lines: readonly Line[]): ChartData => ({
  ...{ at: stepStarts(series), step: series.step, lines },
})

function byOutcome(
  lists: readonly { outcome: string; counts: number[] }[],
  outcomes: readonly Outcome[],
  series: Series,
): Line[] {
  return outcomes.flatMap(({ name, color, rare = false }) => {
    const of = lists.filter(({ outcome }) => outcome === name).map(({ counts }) => counts)
    const values = sumPerStep(of, stepsOf(series))
    return rare && sum(values) === 0 ? [] : [{ name, color, values }]
  })
}

/** Stacks each line on those before it. */
export function stacked(lines: readonly Line[]): number[][] {
  const tops: number[][] = []
  for (const { values } of lines) {
    const below = tops.at(-1)
    tops.push(values.map((value, index) => (value ?? 0) + (below?.[index] ?? 0)))
  }
  return tops
}

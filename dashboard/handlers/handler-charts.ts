/** The data of the charts of a handler. */
import type { HandlerSeries, Percentiles } from '../../src/server/api/schemas/responses.ts'
import type { ChartData, Line } from '../overview/chart-data.ts'

/** Durations of attempts, or the times from receipt to success. */
export function latencyChart(series: HandlerSeries, latencies: readonly (Percentiles | null)[]): ChartData {
  const line = (name: keyof Percentiles, color: Line['color']): Line => {
    return { name, color, values: latencies.map((step) => step?.[name] ?? null) }
  }
  return chart(series, [line('p50', '--chart-1'), line('p95', '--chart-2'), line('p99', '--chart-3')])
}

/** Deliveries that wait for an attempt. */
export const waitingChart = (series: HandlerSeries): ChartData =>
  chart(series, [{ name: 'waiting', color: '--chart-5', values: series.waiting }])

/** How long the oldest of them had waited. */
export const ageChart = (series: HandlerSeries): ChartData =>
  chart(series, [{ name: 'longest wait', color: '--chart-2', values: series.ages }])

function chart({ since, step, waiting }: HandlerSeries, lines: readonly Line[]): ChartData {
  return { at: waiting.map((_, index) => since + index * step), step, lines }
}

/**
 * The path of a line in a box of this size. A step without a value interrupts the line. A value between two of them is
 * a short line, because a dot would be stretched with the box.
 * @param max The value at the top of the box.
 */
export function pathOf(values: readonly (number | null)[], max: number, width: number, height: number): string {
  const step = width / values.length
  const y = (value: number) => (height * (1 - value / max)).toFixed(1)
  const hasValue = (index: number) => typeof values[index] === 'number'
  return values
    .map((value, index) => {
      if (value === null) return ''
      const x = (index + 0.5) * step
      if (hasValue(index - 1)) return `L${x.toFixed(1)} ${y(value)}`
      if (hasValue(index + 1)) return `M${x.toFixed(1)} ${y(value)}`
      return `M${(x - step / 3).toFixed(1)} ${y(value)}h${((2 * step) / 3).toFixed(1)}`
    })
    .join('')
}

/** The highest value of all lines, or 1. */
export const maxOf = ({ lines }: ChartData): number =>
  Math.max(1, ...lines.flatMap(({ values }) => values.map((value) => value ?? 0)))

import type { ChartData, Line } from './chart-data.ts'

/** How a chart writes its values and times. */
interface ChartFormat {
  value: (value: number) => string
  time: (at: number) => string
}

/** A description of a chart for people who cannot see it. */
export function chartSummary(title: string, { lines, at }: ChartData, writing: ChartFormat): string {
  return `${title}. ${lines.map((line) => said(line, at, writing)).join('; ')}.`
}

function said({ name, values }: Line, at: readonly number[], { value, time }: ChartFormat): string {
  const max = Math.max(...values.map((one) => one ?? 0))
  const when = at[values.indexOf(max)]
  return max <= 0 || when === undefined ? `${name}: none` : `${name}: peak of ${value(max)} at ${time(when)}`
}

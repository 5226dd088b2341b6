import type { Figures, Line } from './figures.ts'

/** How a chart's numbers and times are written. */
export interface Writing {
  value: (value: number) => string
  time: (at: number) => string
}

/** What there is to see in a chart, for those who do not see it. */
export function summaryOf(title: string, { lines, at }: Figures, writing: Writing): string {
  return `${title}. ${lines.map((line) => said(line, at, writing)).join('; ')}.`
}

function said({ name, values }: Line, at: readonly number[], { value, time }: Writing): string {
  const most = Math.max(...values.map((one) => one ?? 0))
  const when = at[values.indexOf(most)]
  return most <= 0 || when === undefined ? `${name}: none` : `${name}: ${value(most)} at most, at ${time(when)}`
}

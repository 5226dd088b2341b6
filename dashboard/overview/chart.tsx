import { sum } from '../statistics/totals.ts'
import { ChartCard } from './chart-card.tsx'
import type { ChartData, Line } from './chart-data.ts'
import { chartSummary } from './chart-summary.ts'
import { hoveredStep, Plot } from './plot.tsx'
import { stepFormat, tickFormat } from './time-format.ts'

/** Height of the chart in pixels. The table has the same height: see `chart.css`. */
const height = 190

/** A chart, or a table of the same data. The legend shows the values under the cursor. */
export function Chart(props: {
  title: string
  kind: 'bars' | 'lines'
  figures: ChartData
  value: (value: number) => string
}) {
  const { title, kind, figures, value } = props
  const index = hoveredStep.value
  const at = index === null ? undefined : figures.at[index]
  const step = stepFormat(figures.step)
  const legend = (
    <>
      {figures.lines.map((line) => (
        <span key={line.name}>
          <svg class={`swatch ${line.color.slice(2)}`} viewBox="0 0 10 10" aria-hidden="true">
            <rect width="10" height="10" rx="2" />
          </svg>
          {line.name} <b class="number">{shown(line, kind, index, value)}</b>
        </span>
      ))}
      <span class="soft when number">{at === undefined ? '' : step(at)}</span>
    </>
  )
  const label = chartSummary(title, figures, { value, time: step })
  const plot = <Plot {...{ label, kind, figures, height, value }} time={tickFormat} />
  return <ChartCard {...{ title, figures, value, legend, plot }} />
}

/** The value under the cursor, or the total. Percentiles have no total. */
function shown({ values }: Line, kind: 'bars' | 'lines', index: number | null, value: (value: number) => string) {
  if (index !== null) return values[index] == null ? '–' : value(values[index])
  return kind === 'bars' ? value(sum(values.map((one) => one ?? 0))) : ''
}

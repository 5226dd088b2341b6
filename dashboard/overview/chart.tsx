import { useId, useState } from 'preact/hooks'
import { sum } from '../statistics/totals.ts'
import type { ChartData, Line } from './chart-data.ts'
import { chartSummary } from './chart-summary.ts'
import { ChartTable } from './chart-table.tsx'
import { hoveredStep, Plot } from './plot.tsx'
import { stepFormat, tickFormat } from './time-format.ts'
import './chart.css'

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
  const [isTable, setTable] = useState(false)
  const id = useId()
  const index = hoveredStep.value
  const at = index === null ? undefined : figures.at[index]
  const step = stepFormat(figures.step)
  return (
    <section class="card chart" aria-labelledby={id}>
      <header>
        <h2 id={id}>{title}</h2>
        <button type="button" class="button plain slim end" aria-pressed={isTable} onClick={() => setTable(!isTable)}>
          Show as a table
        </button>
      </header>
      <p class="legend small">
        {figures.lines.map((line) => (
          <span key={line.name}>
            <svg class={`swatch ${line.color.slice(2)}`} viewBox="0 0 10 10" aria-hidden="true">
              <rect width="10" height="10" rx="2" />
            </svg>
            {line.name} <b class="number">{shown(line, kind, index, value)}</b>
          </span>
        ))}
        <span class="soft when number">{at === undefined ? '' : step(at)}</span>
      </p>
      {isTable ? (
        <ChartTable title={title} figures={figures} value={value} time={step} />
      ) : (
        <Plot
          label={chartSummary(title, figures, { value, time: step })}
          {...{ kind, figures, height, value }}
          time={tickFormat}
        />
      )}
    </section>
  )
}

/** The value under the cursor, or the total. Percentiles have no total. */
function shown({ values }: Line, kind: 'bars' | 'lines', index: number | null, value: (value: number) => string) {
  if (index !== null) return values[index] == null ? '–' : value(values[index])
  return kind === 'bars' ? value(sum(values.map((one) => one ?? 0))) : ''
}

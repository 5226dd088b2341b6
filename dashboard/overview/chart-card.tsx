import type { ComponentChildren } from 'preact'
import { useId, useState } from 'preact/hooks'
import type { ChartData } from './chart-data.ts'
import { ChartTable } from './chart-table.tsx'
import { stepFormat } from './time-format.ts'
import './chart.css'

/** A card with a legend, and below it the plot of the data or a table of them. */
export function ChartCard(props: {
  title: string
  figures: ChartData
  value: (value: number) => string
  /** Besides those of every chart. */
  class?: string
  legend: ComponentChildren
  plot: ComponentChildren
}) {
  const { title, figures, value, class: name = '', legend, plot } = props
  const [isTable, setTable] = useState(false)
  const id = useId()
  return (
    <section class={`card chart ${name}`} aria-labelledby={id}>
      <header>
        <h2 id={id}>{title}</h2>
        <button type="button" class="button plain slim end" aria-pressed={isTable} onClick={() => setTable(!isTable)}>
          Show as a table
        </button>
      </header>
      <p class="legend small">{legend}</p>
      {isTable ? <ChartTable {...{ title, figures, value }} time={stepFormat(figures.step)} /> : plot}
    </section>
  )
}

import { ChartCard } from '../overview/chart-card.tsx'
import type { ChartData } from '../overview/chart-data.ts'
import { chartSummary } from '../overview/chart-summary.ts'
import { stepFormat } from '../overview/time-format.ts'
import { maxOf, pathOf } from './handler-charts.ts'
import './small-chart.css'

/** The units of the drawing, which is stretched to the width of its box. */
const [width, height] = [600, 120]
/** Each line has its own dash pattern, for people who cannot tell the colors apart. */
const dashes = ['', '7 4', '2 3']

/** Lines over time, or a table of the same data. */
export function SmallChart(props: { title: string; data: ChartData; value: (value: number) => string }) {
  const { title, data, value } = props
  const { at, step, lines } = data
  const max = maxOf(data)
  const time = stepFormat(step)
  const legend = (
    <>
      {lines.map(({ name, color }, index) => (
        <span key={name}>
          <svg class={`line-sample ${color.slice(2)}`} viewBox="0 0 20 10" aria-hidden="true">
            <path d="M0 5H20" stroke-dasharray={dashes[index]} />
          </svg>{' '}
          {name}
        </span>
      ))}
      <span class="soft when number">up to {value(max)}</span>
    </>
  )
  const plot = (
    <>
      <svg
        class="lines"
        viewBox={`0 0 ${width} ${height}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={chartSummary(title, data, { value, time })}
      >
        {[0, 0.5, 1].map((share) => (
          <path key={share} class="grid-line" d={`M0 ${share * height}H${width}`} />
        ))}
        {lines.map(({ name, color, values }, index) => (
          <path
            key={name}
            class={color.slice(2)}
            d={pathOf(values, max, width, height)}
            stroke-dasharray={dashes[index]}
          />
        ))}
      </svg>
      <p class="times soft small number" aria-hidden="true">
        <span>{time(at[0] ?? 0)}</span>
        <span>{time((at.at(-1) ?? 0) + step)}</span>
      </p>
    </>
  )
  return <ChartCard class="small-chart" figures={data} {...{ title, value, legend, plot }} />
}

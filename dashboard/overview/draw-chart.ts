/** Draws a chart with uPlot. */
import UPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { utc } from '../ui/preferences.ts'
import { type ChartData, stacked } from './chart-data.ts'

export interface Drawing {
  kind: 'bars' | 'lines'
  figures: ChartData
  /** Pixels. */
  height: number
  value: (value: number) => string
  time: (at: number) => string
  /** Called with the step under the cursor. */
  onPoint: (index: number | null) => void
}

export interface DrawnChart {
  update: (figures: ChartData) => void
  end: () => void
}

/** Each line has its own dash pattern, for people who cannot tell the colors apart. */
const dashes = [[], [7, 4], [2, 3]]
const wholeSteps = Array.from({ length: 10 }, (_, power) => [1, 2, 5].map((digit) => digit * 10 ** power)).flat()

/** The chart follows the width of the element. */
export function drawChart(element: HTMLElement, drawing: Drawing): DrawnChart {
  const shown = { figures: drawing.figures }
  const plot = new UPlot(optionsOf(element, drawing, shown), dataOf(drawing.kind, shown.figures), element)
  const observer = new ResizeObserver(() => {
    if (element.clientWidth > 0) plot.setSize({ width: element.clientWidth, height: drawing.height })
  })
  observer.observe(element)
  return {
    update(figures) {
      shown.figures = figures
      plot.setData(dataOf(drawing.kind, figures))
    },
    end() {
      observer.disconnect()
      plot.destroy()
    },
  }
}

/**
 * A step is drawn at its middle. Stacked bars all start at 0, so the highest is drawn first and the lower ones over it.
 */
function dataOf(kind: Drawing['kind'], { at, step, lines }: ChartData): UPlot.AlignedData {
  const middles = at.map((begin) => (begin + step / 2) / 1000)
  const values = kind === 'bars' ? stacked(lines).toReversed() : lines.map((line) => [...line.values])
  return [middles, ...values]
}

function optionsOf(element: HTMLElement, drawing: Drawing, shown: { figures: ChartData }): UPlot.Options {
  const { kind, height, value, time, onPoint } = drawing
  const color = colorsOf(element)
  const axis: UPlot.Axis = {
    stroke: color('--text-soft'),
    font: `11px ${getComputedStyle(element).fontFamily}`,
    grid: { stroke: color('--line'), width: 1 },
    ticks: { show: false },
  }
  const bounds = (): [number, number] => {
    const { at, step } = shown.figures
    return [(at[0] ?? 0) / 1000, ((at.at(-1) ?? 0) + step) / 1000]
  }
  return {
    width: element.clientWidth,
    height,
    padding: [8, 20, 0, 0], // right: half of the label of a time at the end of the axis
    tzDate: (seconds) => (utc.value ? UPlot.tzDate(new Date(seconds * 1000), 'UTC') : new Date(seconds * 1000)),
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, sync: { key: 'overview', setSeries: false } },
    scales: {
      x: { time: true, range: bounds },
      y: { range: (_plot, _min, max) => [0, UPlot.rangeNum(0, Math.max(max ?? 0, 1), 0.1, true)[1]] },
    },
    axes: [
      { ...axis, values: (_plot, at) => at.map((seconds) => time(seconds * 1000)), space: 64, size: 28 },
      { ...axis, values: (_plot, values) => values.map(value), incrs: wholeSteps, size: 56 },
    ],
    series: [{}, ...seriesOf(kind, shown.figures, color)],
    hooks: { setCursor: [(plot) => onPoint(plot.cursor.idx ?? null)] },
  }
}

function seriesOf(kind: Drawing['kind'], { lines }: ChartData, color: (name: string) => string): UPlot.Series[] {
  if (kind === 'lines') {
    // With points, since a single value between two gaps has no line.
    return lines.map((line, index) => {
      const stroke = color(line.color)
      return { stroke, width: 1.5, dash: dashes[index] ?? [], points: { show: true, size: 4, fill: stroke } }
    })
  }
  const paths = UPlot.paths.bars?.({ size: [0.8, 40] })
  return lines.toReversed().map((line) => ({
    ...{ fill: color(line.color), width: 0, points: { show: false } },
    ...(paths && { paths }),
  }))
}

/** A canvas does not know CSS variables or `light-dark()`, so an element of the page resolves them. */
function colorsOf(element: HTMLElement): (name: string) => string {
  return (name) => {
    const before = element.style.color
    element.style.color = `var(${name})`
    const { color } = getComputedStyle(element)
    element.style.color = before
    return color
  }
}

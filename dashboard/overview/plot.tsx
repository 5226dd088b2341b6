import { signal } from '@preact/signals'
import { useEffect, useRef, useState } from 'preact/hooks'
import { isDark } from '../ui/dark-mode.ts'
import { utc } from '../ui/preferences.ts'
import type { Drawing, DrawnChart } from './draw-chart.ts'
import { loadChart } from './load-chart.ts'

/** The step under the cursor, in all charts. */
export const hoveredStep = signal<number | null>(null)

/** The canvas of a chart. The title and the legend are outside of it. */
export function Plot({ label, ...drawing }: Omit<Drawing, 'onPoint'> & { label: string }) {
  const box = useRef<HTMLDivElement>(null)
  const drawn = useRef<DrawnChart>(undefined)
  const [failed, setFailed] = useState(false)
  const latest = useRef(drawing)
  latest.current = drawing
  const names = drawing.figures.lines.map(({ name }) => name).join()
  useEffect(() => {
    let isMounted = true
    const start = ({ drawChart }: typeof import('./draw-chart.ts')) => {
      if (!isMounted || !box.current) return
      drawn.current = drawChart(box.current, { ...latest.current, onPoint: (index) => (hoveredStep.value = index) })
    }
    void loadChart().then(start, () => setFailed(true))
    return () => {
      isMounted = false
      drawn.current?.end()
      drawn.current = undefined
    }
  }, [isDark.value, utc.value, names])
  useEffect(() => drawn.current?.update(drawing.figures), [drawing.figures])
  if (failed)
    return <p class="plot soft">The chart could not be loaded. Reload the page, or show the chart as a table.</p>
  return <div ref={box} class="plot" role="img" aria-label={label} />
}

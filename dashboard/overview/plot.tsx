import { signal } from '@preact/signals'
import { useEffect, useRef, useState } from 'preact/hooks'
import { isDark } from '../ui/darkness.ts'
import type { Drawing, Drawn } from './draw.ts'
import { loadDrawing } from './load-drawing.ts'

/** The step under the cursor, in all charts. */
export const pointed = signal<number | null>(null)

/** The drawing. Its texts are in the elements around it. */
export function Plot({ label, ...drawing }: Omit<Drawing, 'onPoint'> & { label: string }) {
  const box = useRef<HTMLDivElement>(null)
  const drawn = useRef<Drawn>(undefined)
  const [failed, setFailed] = useState(false)
  const latest = useRef(drawing)
  latest.current = drawing
  const names = drawing.figures.lines.map(({ name }) => name).join()
  useEffect(() => {
    const stay = { gone: false }
    const start = ({ draw }: typeof import('./draw.ts')) => {
      if (stay.gone || !box.current) return
      drawn.current = draw(box.current, { ...latest.current, onPoint: (index) => (pointed.value = index) })
    }
    void loadDrawing().then(start, () => setFailed(true))
    return () => {
      stay.gone = true
      drawn.current?.end()
      drawn.current = undefined
    }
  }, [isDark.value, names])
  useEffect(() => drawn.current?.update(drawing.figures), [drawing.figures])
  if (failed) return <p class="plot soft">The drawing could not be loaded: reload the page, or look at the table.</p>
  return <div ref={box} class="plot" role="img" aria-label={label} />
}

import { useRef, useState } from 'preact/hooks'
import type { Histogram } from '../../src/server/api/schemas/responses.ts'
import { moved, type Range, rangeBetween, type Span, wholeOf } from './range.ts'
import { rangeText, stepText, timeText, totalText } from './range-text.ts'

interface PlotProps {
  counts: Histogram
  /** The range that the operator is choosing by keyboard. */
  chosen: Range | undefined
  onChoose: (range: Range | undefined) => void
  /** The mouse is at a position, or drags from one to another. */
  onPoint: (span: Span | undefined) => void
  /** The operator has chosen the range. */
  onShow: (range: Range) => void
}

/** The bars. Dragging over them chooses a range, and so do the two ends by keyboard. */
export function Plot({ counts, chosen, onChoose, onPoint, onShow }: PlotProps) {
  /** Where the operator began to drag, as a part of the width. */
  const start = useRef<number | undefined>(undefined)
  const [dragged, setDragged] = useState<Span>()
  const whole = wholeOf(counts)
  const range = dragged ? rangeBetween(counts, dragged) : (chosen ?? whole)
  const length = whole.until - whole.since
  const position = (at: number) => `${((at - whole.since) / length) * 100}%`
  const positionOf = (event: PointerEvent) => {
    const { left, width } = (event.currentTarget as Element).getBoundingClientRect()
    return (event.clientX - left) / width
  }
  const end = (event: PointerEvent) => {
    if (start.current === undefined) return
    const shown = rangeBetween(counts, [start.current, positionOf(event)])
    start.current = undefined
    setDragged(undefined)
    onShow(shown)
  }
  const onKeyDown = (name: keyof Range) => (event: KeyboardEvent) => {
    const steps = keySteps[event.key]
    if (steps !== undefined) onChoose(moved(counts, range, name, steps))
    else if (event.key === 'Enter' && chosen) onShow(chosen)
    else if (event.key === 'Escape' && chosen) onChoose(undefined)
    else return
    event.preventDefault()
  }
  const label = `${rangeText(counts, whole)}: ${totalText(counts, whole)}, ${stepText(counts)}`
  return (
    <>
      <div
        class="plot"
        onPointerDown={(event) => {
          if (event.button !== 0) return
          start.current = positionOf(event)
          event.currentTarget.setPointerCapture(event.pointerId)
        }}
        onPointerMove={(event) => {
          const at = positionOf(event)
          const pointed = [start.current ?? at, at] as const
          onPoint(pointed)
          if (start.current !== undefined) setDragged(pointed)
        }}
        onPointerUp={end}
        onPointerCancel={() => {
          start.current = undefined
          setDragged(undefined)
        }}
        onPointerLeave={() => onPoint(undefined)}
      >
        <Bars counts={counts} label={label} />
        {range !== whole && (
          <>
            <div class="outside" style={{ left: 0, width: position(range.since) }} />
            <div class="outside" style={{ left: position(range.until), right: 0 }} />
          </>
        )}
      </div>
      {(['since', 'until'] as const).map((name) => (
        <div
          key={name}
          class="handle"
          role="slider"
          tabIndex={0}
          style={{ left: position(range[name]) }}
          aria-label={name === 'since' ? 'Start of the time range' : 'End of the time range'}
          aria-valuemin={0}
          aria-valuemax={counts.received.length}
          aria-valuenow={Math.round((range[name] - whole.since) / counts.step)}
          aria-valuetext={timeText(counts, range[name])}
          title="Arrow keys move this end, and Enter shows the range"
          onKeyDown={onKeyDown(name)}
        />
      ))}
      <div class="axis soft" aria-hidden="true">
        <span>{timeText(counts, whole.since)}</span>
        <span>{timeText(counts, whole.until)}</span>
      </div>
    </>
  )
}

/** How far each key moves an end, in steps. */
const keySteps: Readonly<Record<string, number>> = {
  ...{ ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 },
  ...{ PageDown: -10, PageUp: 10, Home: -1000, End: 1000 },
}

/** Heights in the drawing: of the bars, and of the marks of failures below them. */
const [barHeight, markHeight] = [40, 8]

/** A bar for each step, and below it a mark if a delivery failed: a bar would be too low for a few failures. */
function Bars({ counts: { received, failed = [] }, label }: { counts: Histogram; label: string }) {
  const maxCount = Math.max(1, ...received)
  const bars = received.map((count, index) => {
    if (count === 0) return ''
    const height = Math.max(1, (count / maxCount) * barHeight)
    return `M${index + 0.1} ${barHeight}v${-height.toFixed(1)}h.8v${height.toFixed(1)}z`
  })
  const marks = failed.map((count, index) =>
    count === 0 ? '' : `M${index + 0.1} ${barHeight + 2}h.8v${markHeight - 2}h-.8z`,
  )
  return (
    <svg
      viewBox={`0 0 ${received.length} ${barHeight + markHeight}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <path class="received" d={bars.join('')} />
      <path class="failed" d={marks.join('')} />
    </svg>
  )
}

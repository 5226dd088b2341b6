import type { ComponentChildren } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { showError } from '../ui/toast.tsx'
import { scrolledTo, visibleRows } from './virtual.ts'
import './virtual-list.css'

/** The height of a row of text, in pixels. */
export const textHeight = 24

interface Drawn<Row> {
  rows: readonly Row[]
  from: number
  version: unknown
}

/** A list that renders only its visible rows. */
export function VirtualList<Row>(props: {
  label: string
  /** Default: a scrollable region. */
  role?: 'tree'
  class?: string
  count: number
  /** Default: `textHeight`. */
  rowHeight?: number
  /** The row to scroll to when `target` or `version` changes. */
  target?: number | undefined
  /** The id of the element of `target`. */
  activeId?: string | undefined
  /** Identifies the content: the rows are requested again when `version` changes. */
  version: unknown
  load: (from: number, count: number) => Promise<readonly Row[]>
  onKeyDown?: (event: KeyboardEvent) => void
  children: (row: Row, position: number) => ComponentChildren
}) {
  const { label, role = 'region', count, rowHeight = textHeight, target, version, load, onKeyDown, children } = props
  const box = useRef<HTMLDivElement>(null)
  const [scrollTop, setScrollTop] = useState(0)
  const [viewport, setViewport] = useState(0)
  const [drawn, setDrawn] = useState<Drawn<Row>>({ rows: [], from: 0, version: undefined })
  const view = visibleRows({ count, rowHeight, viewport, scrollTop })

  useLayoutEffect(() => {
    const element = box.current as HTMLDivElement
    const observer = new ResizeObserver(() => setViewport(element.clientHeight))
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
  useEffect(() => {
    const element = box.current
    if (!element || target === undefined) return
    const { clientHeight, scrollTop } = element
    element.scrollTop = scrolledTo(target, { count, rowHeight, viewport: clientHeight, scrollTop })
  }, [target, version])
  useEffect(() => {
    if (viewport === 0) return
    let isStale = false
    load(view.first, view.drawn).then(
      (rows) => isStale || setDrawn({ rows, from: view.first, version }),
      (error) => isStale || showError(error),
    )
    return () => {
      isStale = true
    }
  }, [view.first, view.drawn, version, viewport === 0])

  const top = view.top + (drawn.from - view.first) * rowHeight
  const isTargetDrawn = target !== undefined && target >= drawn.from && target < drawn.from + drawn.rows.length
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: its role is "region" or "tree"
    // biome-ignore lint/a11y/useAriaPropsSupportedByRole: its role is "region" or "tree"
    <div
      ref={box}
      class={`virtual ${props.class ?? ''}`}
      role={role}
      tabIndex={0}
      aria-label={label}
      aria-activedescendant={isTargetDrawn ? props.activeId : undefined}
      style={{ height: `${count * rowHeight + 16}px` }}
      onScroll={({ currentTarget }) => setScrollTop(currentTarget.scrollTop)}
      onKeyDown={onKeyDown}
    >
      <div role="presentation" class="all" style={{ height: `${view.height}px` }}>
        <div role="presentation" class="drawn" style={{ transform: `translateY(${top}px)` }}>
          {drawn.rows.map((row, index) => children(row, drawn.from + index))}
        </div>
      </div>
    </div>
  )
}

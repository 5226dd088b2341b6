/**
 * Computes the visible rows of a long list. Browsers cannot draw elements that are many millions of pixels high. If the
 * rows are higher than `maxHeight` in total, the list is `maxHeight` high, and scrolling by one pixel moves the rows by
 * more than one pixel.
 */

/** Pixels. */
export const maxHeight = 8_000_000
/** Rows that are rendered above and below the visible ones. */
const margin = 8

interface Scroll {
  count: number
  rowHeight: number
  /** Visible pixels. */
  viewport: number
  scrollTop: number
}

interface VisibleRows {
  /** The height of the list. */
  height: number
  /** The first rendered row. */
  first: number
  /** The position of the first rendered row, in pixels. */
  top: number
  /** The number of rendered rows. */
  drawn: number
}

export function visibleRows({ count, rowHeight, viewport, scrollTop }: Scroll): VisibleRows {
  const height = Math.min(count * rowHeight, maxHeight)
  const top = topRow({ count, rowHeight, viewport, scrollTop })
  const first = Math.max(0, Math.floor(top) - margin)
  const drawn = Math.min(count - first, Math.ceil(viewport / rowHeight) + 2 * margin + 1)
  return { height, first, top: scrollTop - (top - first) * rowHeight, drawn }
}

/** The nearest scroll position that shows a row. A distant row is shown in the middle. */
export function scrolledTo(row: number, scroll: Scroll): number {
  const { count, rowHeight, viewport, scrollTop } = scroll
  const rows = viewport / rowHeight
  const top = topRow(scroll)
  if (row >= top && row + 1 <= top + rows) return scrollTop
  const isFar = row < top - 2 || row > top + rows + 1
  const wanted = isFar ? row - rows / 2 : row < top ? row : row + 1 - rows
  return Math.max(0, Math.min(wanted, count - rows)) * stretch(scroll)
}

const topRow = (scroll: Scroll): number => Math.max(0, scroll.scrollTop) / stretch(scroll)

/** Scroll bar pixels per row. */
function stretch({ count, rowHeight, viewport }: Scroll): number {
  const height = count * rowHeight
  return height <= maxHeight ? rowHeight : ((maxHeight - viewport) / (height - viewport)) * rowHeight
}

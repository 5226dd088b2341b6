/**
 * Which rows of a long list are seen. A browser draws nothing beyond some millions of pixels: a longer list is as tall as
 * that, and a pixel of its scroll bar then stands for more than a pixel of its rows.
 */

/** Pixels. */
export const tallest = 8_000_000
/** Rows that are drawn above and below what is seen. */
const margin = 8

export interface Scroll {
  count: number
  rowHeight: number
  /** Pixels that are seen. */
  viewport: number
  scrollTop: number
}

export interface Seen {
  /** Of the list. */
  height: number
  /** The first row that is drawn, and where. */
  first: number
  top: number
  /** How many are drawn. */
  drawn: number
}

export function seen({ count, rowHeight, viewport, scrollTop }: Scroll): Seen {
  const height = Math.min(count * rowHeight, tallest)
  const top = topRow({ count, rowHeight, viewport, scrollTop })
  const first = Math.max(0, Math.floor(top) - margin)
  const drawn = Math.min(count - first, Math.ceil(viewport / rowHeight) + 2 * margin + 1)
  return { height, first, top: scrollTop - (top - first) * rowHeight, drawn }
}

/** Where to scroll to so that a row is seen: no further than it takes, and to the middle of what is far away. */
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

/** Pixels of the scroll bar's way for a row. */
function stretch({ count, rowHeight, viewport }: Scroll): number {
  const height = count * rowHeight
  return height <= tallest ? rowHeight : ((tallest - viewport) / (height - viewport)) * rowHeight
}

import { type Style, styled } from './output.ts'

export interface Column {
  title: string
  /** The width to which a narrow terminal may cut the column. Default: never cut. */
  minWidth?: number
  /** The width of the column while its contents are narrower, so that later rows do not move the columns. */
  usualWidth?: number
  /** Returns the style of a cell with this text. */
  style?: (text: string) => Style | undefined
}

const gap = '  '

/**
 * Lays out rows in columns that fit a width. Rows can be added in batches. The widths of the contents never shrink, but
 * in a narrow terminal a later batch that widens one column can narrow another.
 */
export class Table {
  readonly #columns: readonly Column[]
  readonly #width: number
  #contentWidths: number[]
  #hasTitles = false

  constructor(columns: readonly Column[], width: number) {
    this.#columns = columns
    this.#width = width
    this.#contentWidths = columns.map(({ title, usualWidth = 0 }) => Math.max(title.length, usualWidth))
  }

  /** The lines of these rows. The first call also returns the line of titles. */
  lines(rows: readonly (readonly string[])[]): string[] {
    // A call such as `Math.max(...widths)` has an argument for each row, which may be too many.
    this.#contentWidths = this.#contentWidths.map((start, index) =>
      rows.reduce((width, row) => Math.max(width, widthOf(row[index] ?? '')), start),
    )
    const widths = this.#fit()
    const lines = rows.map((row) => this.#line(row, widths))
    if (this.#hasTitles) return lines
    this.#hasTitles = true
    const titles = this.#columns.map(({ title }) => title)
    return [this.#line(titles, widths, 'bold'), ...lines]
  }

  /** @param style The style of all cells. Default: the styles of the columns. */
  #line(cells: readonly string[], widths: readonly number[], style?: Style): string {
    const padded = widths.map((width, index) => {
      const cell = cells[index] ?? ''
      const text = cut(cell, width)
      const shown = style ?? this.#columns[index]?.style?.(cell)
      const padding = ' '.repeat(Math.max(0, width - widthOf(text)))
      return (shown && text !== '' ? styled(shown, text) : text) + padding
    })
    return padded.join(gap).trimEnd()
  }

  /**
   * The widths of the columns. While the table is too wide, cuts one character from the widest column that may still be
   * cut. If no column may be cut any more, cuts the last column to the width that is left, and leaves it out if none is.
   */
  #fit(): number[] {
    const widths = [...this.#contentWidths]
    const sum = () => widths.reduce((total, width) => total + width + gap.length, -gap.length)
    for (let over = sum() - this.#width; over > 0; over = sum() - this.#width) {
      const spare = widths.map((width, index) => width - (this.#columns[index]?.minWidth ?? width))
      const widest = widths.reduce((best, width, index) => {
        return (spare[index] ?? 0) > 0 && width > (widths[best] ?? -1) ? index : best
      }, -1)
      if (widest < 0) break
      widths[widest] = (widths[widest] ?? 0) - 1
    }
    while (sum() > this.#width) {
      widths.pop()
      const left = this.#width - (sum() + gap.length)
      if (left > 0) widths.push(left)
    }
    return widths
  }
}

const graphemes = new Intl.Segmenter()

/** Characters that are two columns wide on a terminal: emoji and East Asian scripts (Unicode TR11, common ranges). */
const wide =
  /^(?:\p{Emoji_Presentation}|\p{Script=Han}|\p{Script=Hangul}|[\u3000-\u30ff\uff01-\uff60\uffe0-\uffe6]|.*\ufe0f)/u

function widthOf(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length
  return [...graphemes.segment(text)].reduce((sum, { segment }) => sum + cellsOf(segment), 0)
}

const cellsOf = (grapheme: string): number => (wide.test(grapheme) ? 2 : 1)

/** Cuts a text to a width, with an ellipsis at the end. */
function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  let [kept, used] = ['', 0]
  for (const { segment } of graphemes.segment(text)) {
    used += cellsOf(segment)
    if (used > width - 1) break
    kept += segment
  }
  return `${kept}…`
}

import { type Style, styled } from './output.ts'

export interface Column {
  title: string
  /** The width that it may be cut to on a narrow terminal. Default: never cut. */
  minWidth?: number
  /** The style of a cell by its text. */
  style?: (text: string) => Style | undefined
}

/** Between two columns. */
const gap = '  '

/** Rows in columns that fit a width. Rows may be added in batches: a column grows if it must, and never shrinks. */
export class Table {
  readonly #columns: readonly Column[]
  readonly #width: number
  #contentWidths: number[]
  #hasTitles = false

  constructor(columns: readonly Column[], width: number) {
    this.#columns = columns
    this.#width = width
    this.#contentWidths = columns.map(({ title }) => title.length)
  }

  /** The lines of these rows; the first call starts with the titles. */
  lines(rows: readonly (readonly string[])[]): string[] {
    this.#contentWidths = this.#contentWidths.map((width, index) =>
      Math.max(width, ...rows.map((row) => widthOf(row[index] ?? ''))),
    )
    const widths = this.#fit()
    const lines = rows.map((row) => this.#line(row, widths))
    if (this.#hasTitles) return lines
    this.#hasTitles = true
    const titles = this.#columns.map(({ title }) => title)
    return [this.#line(titles, widths, 'bold'), ...lines]
  }

  /** @param style Of all cells. Default: those of the columns. */
  #line(cells: readonly string[], widths: readonly number[], style?: Style): string {
    const padded = this.#columns.map((column, index) => {
      const [cell = '', width = 0] = [cells[index], widths[index]]
      const text = cut(cell, width)
      const shown = style ?? column.style?.(cell)
      const padding = ' '.repeat(Math.max(0, width - widthOf(text)))
      return (shown && text !== '' ? styled(shown, text) : text) + padding
    })
    return padded.join(gap).trimEnd()
  }

  /** Cuts the widest column first, of those that may be cut. */
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
    return widths
  }
}

const graphemes = new Intl.Segmenter()

/** Characters that fill two columns of a terminal: emoji and East Asian scripts (Unicode TR11, the common ranges). */
const wide =
  /^(?:\p{Emoji_Presentation}|\p{Script=Han}|\p{Script=Hangul}|[\u3000-\u30ff\uff01-\uff60\uffe0-\uffe6]|.*\ufe0f)/u

function widthOf(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length
  return [...graphemes.segment(text)].reduce((sum, { segment }) => sum + cellsOf(segment), 0)
}

const cellsOf = (grapheme: string): number => (wide.test(grapheme) ? 2 : 1)

/** Cuts to a width, with an ellipsis if anything is missing. */
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

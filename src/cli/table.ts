import { styled } from './printing.ts'

export interface Column {
  title: string
  /** Where a terminal is narrow, it is cut down to so many characters. Default: never. */
  least?: number
  /** Colours for a cell's text, if it has any. */
  style?: (text: string) => Parameters<typeof styled>[0] | undefined
}

/** Spaces between two columns. */
const gap = '  '

/**
 * Rows in columns that fit a width. Rows may come in portions: a column grows when it has to and never shrinks, so that
 * few lines are out of line.
 */
export class Table {
  readonly #columns: readonly Column[]
  readonly #width: number
  #needed: number[]
  #begun = false

  constructor(columns: readonly Column[], width: number) {
    this.#columns = columns
    this.#width = width
    this.#needed = columns.map(({ title }) => title.length)
  }

  /** The lines of these rows, below those of the titles if they are the first. */
  lines(rows: readonly (readonly string[])[]): string[] {
    this.#needed = this.#needed.map((needed, index) =>
      Math.max(needed, ...rows.map((row) => widthOf(row[index] ?? ''))),
    )
    const widths = this.#fit()
    const lines = rows.map((row) => this.#line(row, widths, ({ style }, text) => style?.(text)))
    if (this.#begun) return lines
    this.#begun = true
    const titles = this.#columns.map(({ title }) => title)
    return [this.#line(titles, widths, () => 'bold'), ...lines]
  }

  #line(
    cells: readonly string[],
    widths: readonly number[],
    styleOf: (column: Column, text: string) => unknown,
  ): string {
    const last = this.#columns.length - 1
    const padded = this.#columns.map((column, index) => {
      const text = cut(cells[index] ?? '', widths[index] ?? 0)
      const style = text && (styleOf(column, cells[index] ?? '') as Parameters<typeof styled>[0] | undefined)
      const padding = index === last ? '' : ' '.repeat(Math.max(0, (widths[index] ?? 0) - widthOf(text)))
      return (style ? styled(style, text) : text) + padding
    })
    return padded.join(gap).trimEnd()
  }

  /** The widest of those columns that may be cut gives way first. */
  #fit(): number[] {
    const widths = [...this.#needed]
    const sum = () => widths.reduce((total, width) => total + width + gap.length, -gap.length)
    for (let over = sum() - this.#width; over > 0; over = sum() - this.#width) {
      const spare = widths.map((width, index) => width - (this.#columns[index]?.least ?? width))
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

/** What a terminal shows in two columns: emoji, and the scripts of East Asia (Unicode TR11, without its rarer corners). */
const wide =
  /^(?:\p{Emoji_Presentation}|\p{Script=Han}|\p{Script=Hangul}|[\u3000-\u30ff\uff01-\uff60\uffe0-\uffe6]|.*\ufe0f)/u

const widthOf = (text: string): number => {
  return /^[\x20-\x7e]*$/.test(text)
    ? text.length
    : [...graphemes.segment(text)].reduce((sum, one) => sum + cells(one), 0)
}

const cells = ({ segment }: { segment: string }): number => (wide.test(segment) ? 2 : 1)

/** Never longer than `width`, and with an ellipsis where something is missing. */
function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  let kept = ''
  let used = 0
  for (const one of graphemes.segment(text)) {
    used += cells(one)
    if (used > width - 1) break
    kept += one.segment
  }
  return `${kept}…`
}

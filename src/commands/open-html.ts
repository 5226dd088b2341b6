/** Elements whose content GitHub shows, or hides until a reader opens them. */
const elements = new Set(
  (
    'a abbr b bdo blockquote caption cite code dd del details dfn div dl dt em figcaption figure h1 h2 h3 h4 h5 h6 i ' +
    'ins kbd li mark ol p picture pre q rp rt ruby s samp small span strike strong sub summary sup table tbody td ' +
    'tfoot th thead time tr tt ul var'
  ).split(' '),
)
const voidElements = new Set(['br', 'hr', 'img', 'source', 'wbr'])

/** A text without tags, a comment, or a whole tag. CommonMark also allows others, which browsers read differently. */
const attribute = /\s+[a-z_:][\w.:-]*(?:\s*=\s*(?:[^\s"'=<>`]+|'[^']*'|"[^"]*"))?/.source
const piece = new RegExp(`[^<]+|<!--(?!-?>)([^]*?)-->|<(/?)([a-z][a-z0-9]*)(?:${attribute})*\\s*/?>`, 'iy')

/**
 * The HTML elements that are open at a place of a comment. A text inside an element may be hidden: in a closed
 * `<details>`, or in an HTML comment or an attribute that begins in one block of Markdown and ends in a later one.
 *
 * Browsers repair wrong HTML by many rules. This class does not: after wrong HTML, the rest of the comment counts as
 * hidden.
 */
export class OpenHtml {
  readonly #open: string[] = []
  #isWrong = false

  /** Whether a text at this place may be hidden. */
  get mayHide(): boolean {
    return this.#isWrong || this.#open.length > 0
  }

  /** The number of open elements. */
  get depth(): number {
    return this.#open.length
  }

  /** Reads HTML from the comment. @returns whether it consists of HTML comments only, which readers do not see. */
  read(html: string): boolean {
    let isComment = true
    for (piece.lastIndex = 0; piece.lastIndex < html.length && !this.#isWrong; ) {
      const [, comment, slash, tag] = piece.exec(html) ?? []
      isComment &&= comment !== undefined
      if (comment !== undefined) this.#isWrong = comment.includes('--!>')
      else if (tag !== undefined) this.#readTag(tag.toLowerCase(), slash === '/')
      else if (piece.lastIndex === 0) this.#isWrong = true // nothing matched
    }
    return isComment
  }

  /** Reads text that is not HTML in this version of CommonMark, and may be HTML in the version that GitHub uses. */
  readText(text: string): void {
    if (/<[a-z!?/]/i.test(text)) this.#isWrong = true
  }

  /** No element may be open at the end of a block of Markdown that has begun with `depth` open elements. */
  endBlock(depth: number): void {
    if (this.#open.length !== depth) this.#isWrong = true
  }

  #readTag(name: string, isEnd: boolean): void {
    if (voidElements.has(name)) return
    if (!elements.has(name)) this.#isWrong = true
    else if (!isEnd) this.#open.push(name)
    else if (this.#open.pop() !== name) this.#isWrong = true
  }
}

/** Finds the lines of a comment that readers see as commands. */
import MarkdownIt, { type PluginSimple, type Token } from 'markdown-it'
import footnotes from 'markdown-it-footnote'
import { OpenHtml } from './open-html.ts'

/**
 * Parses as GitHub does: CommonMark with tables, strikethrough and footnotes. Its time grows linearly with the text,
 * even for hostile texts. Without `text_join`, an escaped character has a token of its own.
 *
 * Of the rules for footnotes, only the one for their definitions is enabled, so each stays in its place, as a block that
 * contains others. GitHub has no inline footnotes. The rules for references and for the list at the end of the text take
 * quadratic time.
 */
const markdown = new MarkdownIt({ html: true })
  .use(footnotes as unknown as PluginSimple) // its types are those of another build of `markdown-it`
  .disable(['text_join', 'footnote_inline', 'footnote_ref', 'footnote_tail'])

/** A line of a paragraph, as readers see it. */
interface Line {
  text: string
  /** Whether it has begun with a slash that is neither escaped nor part of bold text, a link or another element. */
  beginsWithSlash: boolean
  /** Whether it has an image, HTML or struck-through text, so that readers may see another text. */
  isUnclear: boolean
}

/**
 * The lines that begin with a slash, as readers see them: without the marks of Markdown. Left out are lines in quotes,
 * lists, tables, headings, code, HTML elements, HTML comments and footnotes, lines that are struck through, and lines
 * with invisible characters or characters that change the direction of text.
 */
export function visibleCommandLines(body: string): string[] {
  const html = new OpenHtml()
  const found: string[] = []
  const environment: { footnotes?: object; references?: object } = {}
  const tokens = markdown.parse(body, environment)
  const source = body.split(/\r\n?|\n/)
  for (const [index, token] of tokens.entries()) {
    const { depth } = html
    if (token.type === 'html_block') {
      html.read(token.content)
      if (token.level > 0) html.endBlock(depth)
    }
    if (token.type === 'inline') {
      const isParagraph =
        tokens[index - 1]?.type === 'paragraph_open' &&
        token.level === 1 &&
        !hasTable(token.content) &&
        !(environment.references && mayContinue(tokens[index - 2], token, source))
      const lines = linesOf(token.children ?? [], html, environment.footnotes !== undefined)
      if (isParagraph && depth === 0) found.push(...commandLines(lines))
      html.endBlock(depth)
    }
  }
  return found
}

/**
 * Whether GitHub shows a part of a paragraph as a table, because a line such as `|--|` makes the line above it a header. The
 * parser also asks for `|` in the header.
 */
const hasTable = (text: string): boolean =>
  text.split('\n').some((line, index) => index > 0 && line.includes('-') && /^[-|:\s]+$/.test(line))

/**
 * Whether a paragraph begins in the line after a quote, list or footnote. If this ends with a link definition, GitHub shows
 * the paragraph as a part of it, but the parser does not.
 */
function mayContinue(before: Token | undefined, { map }: Token, source: readonly string[]): boolean {
  const isContainer = /^(blockquote|bullet_list|ordered_list|footnote_reference)_close$/.test(before?.type ?? '')
  return isContainer && map !== null && source[map[0] - 1]?.trim() !== ''
}

/** Reads the lines of a block, and its HTML. A line that may refer to one of the footnotes shows another text. */
function linesOf(tokens: readonly Token[], html: OpenHtml, hasFootnotes: boolean): Line[] {
  const newLine = (): Line => ({ text: '', beginsWithSlash: false, isUnclear: html.mayHide })
  let line = newLine()
  const lines = [line]
  let nesting = 0 // how many elements, such as bold text, contain the token
  for (const { type, content, nesting: change } of tokens) {
    nesting += change
    if (type === 'softbreak' || type === 'hardbreak') lines.push((line = newLine()))
    else if (type === 'html_inline') {
      const isComment = html.read(content)
      // GitHub shows a comment with this mark as text, if the comment is a part of a line.
      const isHidden = isComment && !content.slice(4, -3).includes('--')
      line.isUnclear ||= !isHidden || html.mayHide
    } else if (type === 'text' || type === 'text_special' || type === 'code_inline') {
      if (type === 'text') html.readText(content)
      line.isUnclear ||= html.mayHide || (hasFootnotes && type === 'text' && content.includes('[^'))
      if (line.text === '') line.beginsWithSlash = type === 'text' && nesting === 0 && content.startsWith('/')
      line.text += content
    } else if (!/^(em|strong|link)_(open|close)$/.test(type)) line.isUnclear = true
  }
  return lines
}

/** The lines of a paragraph that are commands. */
function commandLines(lines: readonly Line[]): string[] {
  const ranges = marks.map((mark) => ({
    first: lines.findIndex(({ text }) => text.includes(mark)),
    last: lines.findLastIndex(({ text }) => text.includes(mark)),
  }))
  const isMarked = (index: number) => ranges.some(({ first, last }) => first >= 0 && first < index && index <= last)
  return lines
    .filter(({ beginsWithSlash, isUnclear, text }, index) => {
      return beginsWithSlash && !isUnclear && !isMarked(index) && !hasInvisible(text)
    })
    .map(({ text }) => text.trim())
}

/** Marks that the parser does not know: GitHub strikes through the text between two of `~`, and `$$` encloses a formula. */
const marks = ['~', '$$']

/** Emoji contain invisible characters, such as variation selectors. */
const emoji =
  /\p{Extended_Pictographic}[\uFE0F\p{EMod}]*(?:\u200D\p{Extended_Pictographic}[\uFE0F\p{EMod}]*)*|[0-9#*]\uFE0F\u20E3/gu

/** Whether a text has control characters, zero-width characters or others that readers do not see. */
const hasInvisible = (text: string): boolean =>
  /(?!\t)[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u.test(text.replace(emoji, ''))

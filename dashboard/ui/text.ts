/** Texts from outside may contain anything. They must neither mislead the reader nor change the page. */

/** The default maximum of characters that `plain` shows of a text. */
const lineLength = 300

/** Characters that are invisible or change the direction of text, except the zero-width joiner, which emoji need. */
const deceptive = /(?![\t\n\r\u200D])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/** Escapes invisible characters, as in `⟨U+202E⟩`, and shortens long texts. */
export function plain(text: string, most: number = lineLength): string {
  const cut = text.length > most ? `${text.slice(0, most)}…` : text
  return cut.toWellFormed().replace(deceptive, writtenOut)
}

const writtenOut = (mark: string): string =>
  `⟨U+${(mark.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}⟩`

/** The URL of a link; `undefined` unless it is http or https. */
export function safeLink(text: string | undefined): string | undefined {
  const url = text === undefined ? null : URL.parse(text)
  return url && ['https:', 'http:'].includes(url.protocol) ? url.href : undefined
}

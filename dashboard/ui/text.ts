/** Texts that somebody else wrote, which may be anything: shown so that they can neither mislead nor take the page over. */

/** Characters that are shown of a text where there is room for a line. */
export const aLine = 300

/** Marks that turn the direction of what follows, or are not to be seen. Emoji are joined by one, which stays. */
const deceptive = /(?![\t\n\r\u200D])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/** The same with whatever would not be seen written out, `⟨U+202E⟩`, and cut where it gets long. */
export function plain(text: string, most: number = aLine): string {
  const cut = text.length > most ? `${text.slice(0, most)}…` : text
  return cut.toWellFormed().replace(deceptive, writtenOut)
}

const writtenOut = (mark: string): string =>
  `⟨U+${(mark.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}⟩`

/** An address that may be followed: one that is of the web, whatever a payload says. */
export function safeLink(text: string | undefined): string | undefined {
  const url = text === undefined ? null : URL.parse(text)
  return url && ['https:', 'http:'].includes(url.protocol) ? url.href : undefined
}

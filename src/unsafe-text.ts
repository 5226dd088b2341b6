/** Text from outside, such as a header or an error's message, that is written to a log or a terminal. */

/**
 * Characters that steer a terminal, or hide or reorder parts of a line: the control characters (C0, DEL, C1), those
 * for the direction of text, and the separators of lines and paragraphs.
 */
export const unsafeCharacters: RegExp = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu

/** The same, but for tabs and line feeds. */
const unsafeInLines = /(?![\t\n])[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu

/** Each unsafe character as `\u009b`, which is the same character to a parser of JSON. */
export const escapeUnsafe = (text: string): string => text.replace(unsafeCharacters, escaped)

/** Keeps tabs and line feeds: for a stack trace, and for a line of JSON with its end. */
export const escapeUnsafeInLines = (text: string): string => text.replace(unsafeInLines, escaped)

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`

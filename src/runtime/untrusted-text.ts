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

/**
 * A field of a form (`application/x-www-form-urlencoded`, WHATWG URL 5.1), still encoded; `undefined` if it has none.
 * Searched and not split: a hostile form may be nothing but separators, millions of them.
 */
export function encodedField(form: string, name: string): string | undefined {
  const begin = `${name}=`
  const start = form.startsWith(begin) ? 0 : form.indexOf(`&${begin}`) + 1
  if (!form.startsWith(begin, start)) return undefined
  const end = form.indexOf('&', start)
  return form.slice(start + begin.length, end < 0 ? undefined : end)
}

/** @throws {URIError} */
export const decodeField = (encoded: string): string => decodeURIComponent(encoded.replaceAll('+', ' '))

/**
 * The text of an answer of another server, which decides how long it is: one without an end would take all memory.
 * Counted are the bytes after decompression.
 * @throws {Error} if there are more than `maxBytes`.
 */
export async function responseText(response: Response, maxBytes: number): Promise<string> {
  const reader = response.body?.getReader()
  const decoder = new TextDecoder()
  let text = ''
  for (let left = maxBytes; reader; ) {
    const { done, value } = await reader.read()
    if (done) break
    left -= value.byteLength
    if (left < 0) {
      await reader.cancel()
      throw new Error(`The answer is larger than ${maxBytes / 1024 / 1024} MiB`)
    }
    text += decoder.decode(value, { stream: true })
  }
  return text + decoder.decode()
}

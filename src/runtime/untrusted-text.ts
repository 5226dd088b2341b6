/**
 * Text from outside: escaped for a log or a terminal, shortened, taken from a form, or read from another server's
 * response.
 */

/**
 * Characters that control a terminal, or hide or reorder parts of a line: the control characters (C0, DEL, C1), the
 * bidirectional controls, and the line and paragraph separators.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: with \p{Cc}, importing this module would take 0.1 ms longer
export const unsafeCharacters: RegExp = /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu

/** The same characters, except tabs and line feeds. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above
const unsafeInLines = /(?![\t\n])[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu

/**
 * Replaces each unsafe character with an escape such as `\u009b`. If the text is JSON from `JSON.stringify` without
 * indentation, it has unsafe characters only inside its strings. So the escaped text is JSON with the same value.
 */
export const escapeUnsafe = (text: string): string => text.replace(unsafeCharacters, escaped)

/** The same, but keeps tabs and line feeds, for a stack trace or for a line of JSON with its line feed. */
export const escapeUnsafeInLines = (text: string): string => text.replace(unsafeInLines, escaped)

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`

/** A text of at most `maxLength` UTF-16 code units. If it is cut, it ends with `…`, and never with half of a character. */
export const shortened = (text: string, maxLength: number): string =>
  text.length > maxLength ? `${text.slice(0, maxLength - 1).replace(/[\ud800-\udbff]$/, '')}…` : text

/**
 * A field of a form (`application/x-www-form-urlencoded`, WHATWG URL 5.1), still encoded; `undefined` if it is missing.
 * The form is not split, because a hostile form may contain millions of separators.
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
 * The body of another server's response as text. The limit counts bytes after decompression.
 * @throws {RangeError} if the body has more than `maxBytes`.
 */
export async function responseText({ body }: Response, maxBytes: number): Promise<string> {
  let bytes = new ArrayBuffer(0, { maxByteLength: maxBytes })
  try {
    for await (const chunk of body ? chunksOf(body) : []) {
      const length = bytes.byteLength
      if (length + chunk.byteLength > maxBytes) {
        throw new RangeError(`The answer is larger than ${maxBytes / 1024 / 1024} MiB`)
      }
      bytes.resize(length + chunk.byteLength)
      new Uint8Array(bytes, length).set(chunk)
    }
    bytes = bytes.transferToFixedLength() // not every runtime decodes a buffer that can grow
    return new TextDecoder().decode(bytes)
  } finally {
    bytes.transfer(0) // the garbage collector would free it much later
  }
}

/** The beginning of a response's body as text. Reads no further when the text has more than `maxLength` UTF-16 code units. */
export async function responseStart({ body }: Response, maxLength: number): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of body ? chunksOf(body) : []) {
    text += decoder.decode(chunk, { stream: true })
    if (text.length > maxLength) return text
  }
  return text + decoder.decode()
}

/** A copy of a response, with a body that has been read. */
export function withBody(response: Response, text: string): Response {
  const { status, statusText, url } = response
  const body = [204, 205, 304].includes(status) ? null : text
  const copy = new Response(body, { status, statusText, headers: [...response.headers] })
  return Object.defineProperty(copy, 'url', { value: url })
}

/**
 * The chunks of a body. If the caller reads no further, cancels the body.
 * @param body A stream of Node.js if a replacement of `fetch()`, such as node-fetch, has made the response.
 */
async function* chunksOf(
  body: ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (!('getReader' in body)) return yield* body
  const reader = body.getReader()
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value
  } finally {
    await reader.cancel()
  }
}

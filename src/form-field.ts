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

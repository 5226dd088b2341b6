/** An object from untrusted JSON: each member may have any type, and `__proto__` is a name like any other. */
export type Json = Record<string, unknown>

/** Whether a value is a JSON object, and not a list. */
export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Parses a JSON object. @returns `undefined` for any other text. */
export function parseObject(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

export function objectIn(data: Json | undefined, name: string): Json | undefined {
  const value = memberOf(data, name)
  return typeof value === 'object' && value !== null ? (value as Json) : undefined
}

export function textIn(data: Json | undefined, name: string): string | undefined {
  const value = memberOf(data, name)
  return typeof value === 'string' ? value : undefined
}

/**
 * An address with `http:` or `https:`, normalized. It has no control characters, so a page and a terminal can show it.
 * `undefined` for any other value.
 */
export function webAddressIn(data: Json | undefined, name: string): string | undefined {
  const { protocol = '', href } = URL.parse(textIn(data, name) ?? '') ?? {}
  return ['https:', 'http:'].includes(protocol) ? href : undefined
}

export function wholeNumberIn(data: Json | undefined, name: string): number | undefined {
  const value = memberOf(data, name)
  return Number.isSafeInteger(value) ? (value as number) : undefined
}

/** The id of an object, as text: GitHub's ids are integers that may be too large for a JavaScript number. */
export function idIn(data: Json | undefined, name = 'id'): string | undefined {
  const value = memberOf(data, name)
  const text = Number.isSafeInteger(value) ? String(value) : value
  return typeof text === 'string' && isId(text) ? text : undefined
}

/** Whether a text is an id of GitHub: a decimal integer of at most 64 bits, without leading zeros. */
export const isId = (text: string): boolean => /^[1-9]\d{0,18}$/.test(text)

/** A value that `JSON.stringify` writes as this number, digit by digit. */
export function rawNumber(text: string): unknown {
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(text)
}

function memberOf(data: Json | undefined, name: string): unknown {
  return data && Object.hasOwn(data, name) ? data[name] : undefined
}

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

function memberOf(data: Json | undefined, name: string): unknown {
  return data && Object.hasOwn(data, name) ? data[name] : undefined
}

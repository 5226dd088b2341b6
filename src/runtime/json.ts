/** An object from untrusted JSON: each member may have any type, and `__proto__` is a name like any other. */
export type Json = Record<string, unknown>

/** Whether a value is a JSON object, and not a list. */
export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * Whether a value is an object like those of `JSON.parse`, and no instance of another class. `JSON.stringify` would lose
 * the contents of a promise or a Map. The check also accepts objects of another realm.
 */
export function isPlainObject(value: unknown): value is Json {
  if (!isObject(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

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

/** The id of an object, as text: GitHub's ids are integers that may be too large for a number. */
export function idIn(data: Json | undefined): string | undefined {
  const digits = digitsIn(data, 'id')
  return digits !== undefined && isId(digits) ? digits : undefined
}

/** Whether a text is an id of GitHub: a decimal integer of at most 64 bits, without leading zeros. */
export const isId = (text: string): boolean => /^[1-9]\d{0,18}$/.test(text)

/**
 * A number that `JSON.stringify()` writes digit by digit as in `text`. JavaScript's numbers round integers above 2^53.
 * @throws {SyntaxError} if `text` is not a number in JSON.
 */
export function rawNumber(text: string): unknown {
  if (!/^[-\d]/.test(text)) throw new SyntaxError(`Expected a number in JSON, got ${text}`) // rawJSON takes any primitive
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(text) // TypeScript has no type for rawJSON
}

/**
 * An id or another whole number as text, because it may be too large for a number: from an exact number, a BigInt or
 * digits. `undefined` for any other value.
 */
export function digitsIn(data: Json | undefined, name: string): string | undefined {
  const value = memberOf(data, name)
  const isExact = typeof value === 'string' || typeof value === 'bigint' || Number.isSafeInteger(value)
  return isExact && /^\d+$/.test(String(value)) ? String(value) : undefined
}

/** Whether a member is a number that `JSON.parse` may have rounded. */
export function isRoundedIn(data: Json | undefined, name: string): boolean {
  const value = memberOf(data, name)
  return typeof value === 'number' && !Number.isSafeInteger(value)
}

/**
 * A reviver for `JSON.parse`. If a number cannot represent an integer exactly, the result has the digits as text.
 * @throws {Error} if the runtime does not pass the source text of numbers to revivers.
 */
export function keepDigits(_name: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value
  const source = context?.source
  if (source === undefined) throw new Error('This runtime rounds integers above 2^53: use a newer version of it')
  return /^-?\d+$/.test(source) ? source : value
}

function memberOf(data: Json | undefined, name: string): unknown {
  return data && Object.hasOwn(data, name) ? data[name] : undefined
}

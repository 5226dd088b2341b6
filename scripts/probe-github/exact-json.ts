/** TypeScript does not know the third argument yet. */
type Reviver = (name: string, value: unknown, context: { source?: string }) => unknown

const isId = (name: string): boolean => name === 'id' || name.endsWith('_id')

/** Keeps ids as text, and every other integer that a JavaScript number would round. */
const keepDigits: Reviver = (name, value, { source }) => {
  if (typeof value !== 'number' || source === undefined || !/^-?\d+$/.test(source)) return value
  return isId(name) || !Number.isSafeInteger(value) ? source : value
}

/**
 * Parses JSON without rounding an id or a large integer.
 * @throws {SyntaxError}
 */
export function parseExactly(text: string): unknown {
  return JSON.parse(text, keepDigits as (name: string, value: unknown) => unknown)
}

import fc from 'fast-check'

const isSurrogate = (codePoint: number) => codePoint >= 0xd800 && codePoint <= 0xdfff

const character = fc
  .integer({ min: 0, max: 0x10ffff })
  .filter((codePoint) => !isSurrogate(codePoint))
  .map((codePoint) => String.fromCodePoint(codePoint), characterCode)

/**
 * Strings of all characters of Unicode, and the strings that fast-check knows to be dangerous, such as `__proto__`.
 * `fc.string({ unit: 'binary' })` generates the same strings, but each process first computes a table of a million
 * characters for it, which takes 2 seconds.
 */
export function anyString(constraints: Omit<fc.StringConstraints, 'unit'> = {}): fc.Arbitrary<string> {
  return fc.string({ ...constraints, unit: character })
}

/** The function that fast-check needs to shrink a string. Throws if the text is not one character. */
function characterCode(text: unknown): number {
  const [first, ...rest] = typeof text === 'string' ? text : ''
  if (first === undefined || rest.length > 0) throw new TypeError('Not one character')
  return first.codePointAt(0) ?? 0
}

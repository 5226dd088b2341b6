import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { escapeUnsafe, escapeUnsafeInLines } from '../../src/runtime/untrusted-text.ts'
import { anyString } from '../any-string.ts'

const ranges = [[0, 0x1f], [0x7f, 0x9f], [0x61c], [0x200e, 0x200f], [0x2028, 0x202e], [0x2066, 0x2069]]
const unsafe = ranges.flatMap(([first = 0, last = first]) =>
  Array.from({ length: last - first + 1 }, (_, index) => (first + index).toString(16).padStart(4, '0')),
)

describe('unsafe text', () => {
  test.each(unsafe)('is escaped: U+%s', (code) => {
    const character = String.fromCharCode(Number.parseInt(code, 16))
    expect(escapeUnsafe(`a${character}b`)).toBe(`a\\u${code}b`)
    expect(escapeUnsafeInLines(character)).toBe('\t\n'.includes(character) ? character : `\\u${code}`)
  })

  test('does not change other text', () => {
    expect(escapeUnsafe('a "b" \\ é 漢字 🎉 \u00a0\u200d')).toBe('a "b" \\ é 漢字 🎉 \u00a0\u200d')
  })

  test('has the same value in JSON', () => {
    fc.assert(
      fc.property(anyString(), (text) => {
        expect(JSON.parse(escapeUnsafe(JSON.stringify(text)))).toBe(text)
      }),
    )
  })
})

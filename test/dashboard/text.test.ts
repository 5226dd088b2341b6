import { describe, expect, test } from 'vitest'
import { plain, safeLink } from '../../dashboard/ui/text.ts'
import { bytes, duration } from '../../dashboard/ui/units.ts'

describe('an untrusted text', () => {
  test.each([
    ['plain', 'plain'],
    ['exe\u202Efdp', 'exe⟨U+202E⟩fdp'],
    ['null\u0000', 'null⟨U+0000⟩'],
    ['zero\u200Bwidth', 'zero⟨U+200B⟩width'],
    ['tag\u{E0041}', 'tag⟨U+E0041⟩'],
    ['half \ud800', 'half \ufffd'],
    ['line\none\ttab', 'line\none\ttab'],
    ['👨\u200D👩\u200D👧', '👨\u200D👩\u200D👧'],
  ])('%j is shown with its invisible characters escaped', (text, shown) => {
    expect(plain(text)).toBe(shown)
  })

  test('is cut at a limit', () => {
    expect(plain('a'.repeat(25_000_000), 10)).toBe(`${'a'.repeat(10)}…`)
    expect(plain('👨', 1)).toBe('\ufffd…')
  })
})

test.each([
  ['https://github.com/acme/shop', 'https://github.com/acme/shop'],
  ['http://github.local/', 'http://github.local/'],
  ['javascript:alert(1)', undefined],
  [' java\nscript:alert(1)', undefined],
  ['data:text/html,x', undefined],
  ['//evil.example', undefined],
  ['', undefined],
  [undefined, undefined],
])('the address %j links to %j', (text, link) => {
  expect(safeLink(text)).toBe(link)
})

test('amounts are short', () => {
  const durations = [0, 0.4, 3.26, 17, 999.7, 1000, 1500, 59_200, 59_900, 61_000, 5_400_000, 100 * 3_600_000]
  expect(durations.map(duration)).toEqual([
    ...['0 ms', '<1 ms', '3.3 ms', '17 ms', '1 s', '1 s', '1.5 s', '59 s', '1 min', '1 min', '1.5 h', '4 d'],
  ])
  expect([0, 512, 1024, 1536, 26_214_400].map(bytes)).toEqual(['0 B', '512 B', '1.0 KiB', '1.5 KiB', '25 MiB'])
})

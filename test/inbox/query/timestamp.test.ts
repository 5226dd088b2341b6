import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseTimestamp } from '../../../src/inbox/query/timestamp.ts'

const now = Date.UTC(2026, 0, 31, 12)

test.each([
  ['0', 0],
  ['1769860800000', 1_769_860_800_000],
  ['2h', now - 7_200_000],
  ['500ms', now - 500],
  ['7d', now - 7 * 86_400_000],
  ['2026-01-31', Date.UTC(2026, 0, 31)],
  ['2026-01-31T12:00Z', now],
  ['2026-01-31T12:00:00.5+02:00', now - 7_200_000 + 500],
])('%j is a timestamp', (text, timestamp) => expect(parseTimestamp(text, now)).toBe(timestamp))

test.each([
  '',
  ' ',
  '2H',
  '2 h',
  '-2h',
  '0h',
  '1e3',
  '2026-1-31',
  '2026-02-31T',
  '2026-13-01',
  '2026-02-31',
  '2026-04-31T12:00Z',
  '2026-01-31 12:00Z',
  'now',
])('%j is invalid', (text) => expect(parseTimestamp(text, now)).toBeUndefined())

test('any text is a whole number of milliseconds or invalid', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const moment = parseTimestamp(text, now)
      expect(moment === undefined || Number.isSafeInteger(moment)).toBe(true)
    }),
  )
})

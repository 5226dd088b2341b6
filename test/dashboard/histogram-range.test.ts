import { expect, test } from 'vitest'
import { moved, rangeBetween, searchWithin } from '../../dashboard/histogram/range.ts'
import type { Histogram } from '../../src/server/api/schemas/responses.ts'

const since = Date.UTC(2026, 0, 31, 12)
const minute = 60_000
/** Ten steps of a minute. */
const counts: Histogram = {
  ...{ since, until: since + 9.5 * minute, step: minute, covers: 'search' },
  ...{ received: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], failed: [0, 0, 1, 0, 0, 0, 0, 0, 0, 2] },
}
const range = (first: number, last: number) => ({ since: since + first * minute, until: since + last * minute })

test.each([
  [0.25, 0.41, range(2, 5)],
  [0.41, 0.25, range(2, 5)],
  [0.5, 0.5, range(5, 6)],
  [-1, 2, range(0, 10)],
])('the range from %d to %d of the width consists of whole steps', (one, other, expected) => {
  expect(rangeBetween(counts, one, other)).toEqual(expected)
})

test.each([
  [range(2, 5), 'since', 1, range(3, 5)],
  [range(2, 5), 'since', 10, range(4, 5)],
  [range(2, 5), 'since', -10, range(0, 5)],
  [range(2, 5), 'until', -10, range(2, 3)],
  [range(2, 5), 'until', 10, range(2, 10)],
] as const)('an end of a range moves by steps, and stays beside the other end', (before, end, steps, after) => {
  expect(moved(counts, before, end, steps)).toEqual(after)
})

test('a range becomes a part of the search, without ends that change nothing', () => {
  expect(searchWithin('state:dead', counts, range(2, 5))).toBe(
    'since:2026-01-31T12:02Z until:2026-01-31T12:05Z state:dead',
  )
  expect(searchWithin('since:2h push', counts, range(0, 5))).toBe('since:2h until:2026-01-31T12:05Z push')
  expect(searchWithin('', counts, range(3, 10))).toBe('since:2026-01-31T12:03Z')
  expect(searchWithin('', { ...counts, step: 1000 }, { since: since + 1000, until: since + 10_000 })).toBe(
    'since:2026-01-31T12:00:01Z',
  )
})

import { expect, test } from 'vitest'
import { fitted, moved, rangeBetween, searchWithin, withOpenEnds } from '../../dashboard/histogram/range.ts'
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
  expect(rangeBetween(counts, [one, other])).toEqual(expected)
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

test.each([
  ['is in whole steps', minute / 4, range(2, 5), range(2.25, 5.25)],
  ['loses the part before the counts', 3 * minute, range(2, 5), range(3, 5)],
  ['does not exist if the counts begin later', 5 * minute, range(2, 5), undefined],
  ['keeps the ends of the histogram', minute, range(0, 10), range(1, 11)],
  ['moves an end with the end of the histogram', minute, range(2, 10), range(2, 11)],
  ['does not move its other end', minute, range(0, 5), range(1, 5)],
])('a range in newer counts %s', (_, later, before, after) => {
  expect(fitted({ ...counts, since: since + later }, withOpenEnds(counts, before))).toEqual(after)
})

test('a range without a whole step in longer steps does not exist', () => {
  expect(fitted({ ...counts, step: 10 * minute }, range(1, 3))).toBeUndefined()
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

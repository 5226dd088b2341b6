import { expect, test } from 'vitest'
import { type Count, hour, minute, toCountRows } from '../../src/inbox/counts.ts'

const at = 5 * hour + 7 * minute + 1

test.for<[Partial<Count>, number[][]]>([
  [
    { measure: 'received', name: 'push', outcome: 'stored' },
    [
      [minute, 5 * hour + 7 * minute],
      [hour, 5 * hour],
    ],
  ],
  [
    { measure: 'rejected', name: 'wrong_signature' },
    [
      [minute, 5 * hour + 7 * minute],
      [hour, 5 * hour],
      [0, 0],
    ],
  ],
])('adds a count of %o to its minute, its hour and perhaps the total', ([more, expected]) => {
  const count = { at, measure: 'received', name: 'a', outcome: '', count: 2, ...more } as const
  const rows = toCountRows([count])
  expect(rows.map((row) => [row.step, row.at])).toEqual(expected)
  for (const row of rows) expect(row).toMatchObject({ ...count, at: row.at })
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { durationClassesAbove, durationClassOf } from '../../../src/inbox/query/duration-class.ts'
import { candidatesFor, furthest, idsPerBranch, mergeIds } from '../../../src/inbox/query/lookups.ts'
import { parseQuery } from '../../../src/inbox/query/parse-query.ts'

describe('merging the ids of several values', () => {
  test('ends at the highest id at which a value was cut off', () => {
    expect(mergeIds([[9, 6, 3], [8, 1], []], 3)).toEqual({ ids: [9, 8, 6, 3], reached: 3 })
    expect(mergeIds([[9, 8], [7, 1], [5]], 2)).toEqual({ ids: [9, 8], reached: 8 })
  })

  test('reaches the oldest id if no value was cut off', () => {
    expect(
      mergeIds(
        [
          [9, 6],
          [8, 6],
        ],
        3,
      ),
    ).toEqual({ ids: [9, 8, 6], reached: 0 })
    expect(mergeIds([], 3)).toEqual({ ids: [], reached: 0 })
  })

  test('returns each id once, newest first, over all steps', () => {
    const branch = fc.uniqueArray(fc.integer({ min: 1, max: 60 })).map((ids) => ids.toSorted((a, b) => b - a))
    fc.assert(
      fc.property(fc.array(branch, { maxLength: 4 }), fc.integer({ min: 1, max: 7 }), (branches, limit) => {
        const found: number[] = []
        for (let before = Number.POSITIVE_INFINITY; before > 0; ) {
          const parts = branches.map((ids) => ids.filter((id) => id < before).slice(0, limit))
          const { ids, reached } = mergeIds(parts, limit)
          found.push(...ids)
          expect(reached).toBeLessThan(before)
          before = reached
        }
        expect(found).toEqual([...new Set(branches.flat())].sort((a, b) => b - a))
      }),
    )
  })

  test('reads about as many ids as for one value', () => {
    expect([1, 2, 10, 200].map((branches) => idsPerBranch(branches, 2000))).toEqual([2000, 1000, 200, 50])
  })
})

test('the step that reaches the lowest id is the best, and then the one with the fewest ids', () => {
  expect(
    furthest([
      { ids: [9], reached: 9 },
      { ids: [9, 4], reached: 4 },
    ]),
  ).toBe(1)
  expect(
    furthest([
      { ids: [9, 8], reached: 0 },
      { ids: [7], reached: 0 },
      { ids: [], reached: 5 },
    ]),
  ).toBe(1)
})

const columnsOf = (text: string) =>
  candidatesFor(parseQuery(text)).map(({ lookups }) => lookups.map((one) => one.column))

test.each([
  ['', []],
  ['word sender:octocat handler:deploy title:x duration:>900ms is:pulled', []],
  ['action:opened or state:dead', []],
  ['-repo:acme/shop -sender:x -event:issues.opened -#7', []],
  ['state:dead repo:acme/* #7', [['number'], ['repository'], ['state']]],
  ['event:issues.opened,push', [['event', 'event']]],
  ['acme/shop@c0ffee1 or #7', [['sha', 'number']]],
  ['-state:dead,done', [['state', 'state', 'state', 'state', 'state']]],
  ['-event:push', [['event']]],
  ['error:timeout', [['failure_group'], ['state', 'state', 'state', 'state']]],
  ['error:timeout or #7', [['failure_group', 'number']]],
  ['-error:timeout', []],
  ['failure:1,2', [['failure_group', 'failure_group']]],
  ['-failure:1', []],
  ['duration:>10d', [Array(13).fill('duration_class')]],
  ['duration:<5s', []],
])('%j is found by the indexes %j', (text, columns) => expect(columnsOf(text)).toEqual(columns))

test.each([
  ['state:dead,retrying', 0],
  ['-state:dead', 0],
  ['event:push or state:dead', 0],
  ['event:push or acme/shop#7', 1],
  ['error:timeout', 0],
  ['failure:1', 0],
  ['error:503', 1],
  ['duration:>5s', 1],
])('of %j, a store checks %i conditions for each delivery that an index finds', (text, rest) => {
  expect(candidatesFor(parseQuery(text))[0]?.rest).toHaveLength(rest)
})

test('a slow delivery has a class by powers of two, and a fast one has none', () => {
  expect([0, 999, 1000, 1999, 2000, 5000, 2 ** 31 * 1000, 1e15].map(durationClassOf)).toEqual([
    ...[null, null, 0, 0, 1, 2, 31, 31],
  ])
  expect(durationClassesAbove(5000)?.slice(0, 2)).toEqual([2, 3])
  expect(durationClassesAbove(5000)?.at(-1)).toBe(31)
  expect(durationClassesAbove(999)).toBeUndefined()
})

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { filterValues } from '../../../src/inbox/query/values.ts'

test('capital letters stand among the small ones, and each value once', () => {
  const values = ['b', 'B', 'a', 'C', 'b', '']
  expect(filterValues(values, { column: 'sender' })).toEqual(['a', 'B', 'b', 'C'])
})

test('there are 20, or as many as are asked for', () => {
  const values = Array.from({ length: 200 }, (_, index) => `v${index}`)
  expect(filterValues(values, { column: 'ref' })).toHaveLength(20)
  expect(filterValues(values, { column: 'ref', limit: 100 })).toHaveLength(100)
})

test('only a repository is found by what follows its slash', () => {
  const values = ['acme/shop', 'shop', 'a/b/shop']
  expect(filterValues(values, { column: 'repository', prefix: 'SH' })).toEqual(['acme/shop', 'shop'])
  expect(filterValues(values, { column: 'ref', prefix: 'SH' })).toEqual(['shop'])
})

test('whatever is asked for, what is shown begins with it', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' })), fc.string({ unit: 'binary' }), (values, prefix) => {
      for (const value of filterValues(values, { column: 'action', prefix })) {
        expect(value.toLowerCase().startsWith(prefix.toLowerCase())).toBe(true)
      }
    }),
  )
})

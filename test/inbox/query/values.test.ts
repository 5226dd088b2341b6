import fc from 'fast-check'
import { expect, test } from 'vitest'
import { filterValues } from '../../../src/inbox/query/values.ts'
import { anyString } from '../../any-string.ts'

test('values are distinct and sorted case-insensitively', () => {
  const values = ['b', 'B', 'a', 'C', 'b', '']
  expect(filterValues(values, { column: 'sender' })).toEqual(['a', 'B', 'b', 'C'])
})

test('at most 20 values are returned, or at most the limit if there is one', () => {
  const values = Array.from({ length: 200 }, (_, index) => `v${index}`)
  expect(filterValues(values, { column: 'ref' })).toHaveLength(20)
  expect(filterValues(values, { column: 'ref', limit: 100 })).toHaveLength(100)
})

test('only a repository also matches by the part after the slash', () => {
  const values = ['acme/shop', 'shop', 'a/b/shop']
  expect(filterValues(values, { column: 'repository', prefix: 'SH' })).toEqual(['acme/shop', 'shop'])
  expect(filterValues(values, { column: 'ref', prefix: 'SH' })).toEqual(['shop'])
})

test('every value that is not a repository starts with the prefix', () => {
  fc.assert(
    fc.property(fc.array(anyString()), anyString(), (values, prefix) => {
      for (const value of filterValues(values, { column: 'action', prefix })) {
        expect(value.toLowerCase().startsWith(prefix.toLowerCase())).toBe(true)
      }
    }),
  )
})

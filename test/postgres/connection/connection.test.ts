import { expect, test } from 'vitest'
import { isItemFault } from '../../../src/postgres/connection/connection.ts'

test.each([
  ['54000', true],
  ['25006', false],
  ['23514', true],
  ['22P02', true],
  ['57P01', false],
  ['53300', false],
  ['ECONNRESET', false],
  [undefined, false],
])('error code %s may be the fault of one item of a batch: %s', (code, expected) => {
  expect(isItemFault(Object.assign(new Error('broken'), { code }))).toBe(expected)
})

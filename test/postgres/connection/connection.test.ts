import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
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

test('no code searches the text of an error, because the server may write it in another language', () => {
  const searches = /message\)?\??\.(?:match|includes|startsWith|endsWith|search|indexOf)\(|\.test\([^)]*message/
  const folder = join(import.meta.dirname, '../../../src/postgres')
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
  expect(files.length).toBeGreaterThan(20)
  expect(files.filter((file) => searches.test(readFileSync(join(folder, file), 'utf8')))).toEqual([])
  expect(searches.test("if ((error as Error).message.includes('does not exist'))")).toBe(true)
})

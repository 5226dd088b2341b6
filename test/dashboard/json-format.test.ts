import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatJson, minifyJson } from '../../dashboard/send/json-format.ts'

test('has a line for each member, as JSON.stringify does', () => {
  const isSame = (value: unknown) => {
    expect(formatJson(JSON.stringify(value))).toBe(JSON.stringify(value, undefined, 2))
    expect(formatJson(JSON.stringify(value, undefined, '\t'))).toBe(JSON.stringify(value, undefined, 2))
    expect(minifyJson(JSON.stringify(value, undefined, 2))).toBe(JSON.stringify(value))
  }
  fc.assert(fc.property(fc.jsonValue(), isSame))
  isSame({ 'a"\\': '\\\\"', 'b\\': ['{', '}', ',', ':', '"'] })
})

test('changes no token', () => {
  const text = '{"id":12345678901234567890,"price":1.10,"big":1e400,"id":1,"half":"\\ud800","slash":"\\/"}'
  expect(formatJson(text).replaceAll(/\s/g, '')).toBe(text)
  expect(minifyJson(formatJson(text))).toBe(text)
})

test('stops indenting at a depth', () => {
  const text = '['.repeat(10_000) + ']'.repeat(10_000)
  expect(formatJson(text).length).toBeLessThan(5_000_000)
  expect(formatJson(text).replaceAll(/\s/g, '')).toBe(text)
})

test('keeps long texts of backslashes and quotes', () => {
  const value = { a: '\\'.repeat(1_000_001), b: '"'.repeat(1_000_000) }
  const isSame = formatJson(JSON.stringify(value)) === JSON.stringify(value, undefined, 2)
  expect(isSame).toBe(true) // a message with both texts would take long
})

import { expect, test } from 'vitest'
import { estimateParsedSize, parsedSizeLimit } from '../../../src/inbox/parsed-size.ts'
import { matchPayload } from '../../../src/inbox/query/paging.ts'

const mib = 1024 * 1024
const paths = [{ path: ['a'], value: '1' }]
const bytes = (text: string) => new TextEncoder().encode(text)
const match = (text: string, form: 'json' | 'form', limit = mib) =>
  matchPayload({ form, body: () => bytes(text) }, paths, limit)

test.each([
  ['{"a":1}', 'json', 'yes'],
  ['{"a":2}', 'json', 'no'],
  ['{"a":1', 'json', 'no'],
  ['payload=%7B%22a%22%3A+1%7D', 'form', 'yes'],
  ['x=1&payload={"a":1}&y=2', 'form', 'yes'],
  ['payload=%7', 'form', 'no'],
  ['other=1', 'form', 'no'],
] as const)('the payload %s in %s matches: %s', (text, form, expected) => {
  expect(match(text, form)).toBe(expected)
})

test('a payload is parsed only if its parsed size is within the limit', () => {
  const text = `{"a":1,"b":[${'{"34":0},'.repeat(100)}0]}`
  const need = estimateParsedSize(bytes(text), 'json')
  expect([match(text, 'json', need), match(text, 'json', need - 1)]).toEqual(['yes', 'too large'])
})

test('a body that cannot be parsed does not match', () => {
  const body = () => {
    throw new Error('It is damaged')
  }
  expect(matchPayload({ form: 'json', body }, paths, mib)).toBe('no')
})

test.each([
  [512 * mib, 128 * mib],
  [4096 * mib, 256 * mib],
])('with a heap of %i bytes, a parsed payload may take %i', (heap, limit) => {
  expect(parsedSizeLimit(heap)).toBe(limit)
})

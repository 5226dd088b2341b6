import { expect, test } from 'vitest'
import { withCauses } from '../../src/cli/output.ts'

test('joins the messages of an error and its causes, which may form a cycle', () => {
  const refused = Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' })
  const outer = new Error('outer', { cause: new TypeError('fetch failed', { cause: refused }) })
  expect(withCauses(outer)).toBe('outer: ECONNREFUSED')
  refused.cause = outer
  expect(withCauses(outer)).toBe('outer: ECONNREFUSED')
  expect([withCauses('text'), withCauses(new Error())]).toEqual(['text', 'Error'])
})

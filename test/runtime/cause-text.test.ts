import { expect, test } from 'vitest'
import { causesOf, causeText } from '../../src/runtime/cause-text.ts'

const wrap = (message: string, cause?: unknown) => new Error(message, { cause })
const circle = wrap('outer')
circle.cause = circle
const refused = wrap('connect ECONNREFUSED 192.0.2.1:443')

test.each<[string, Error, string | undefined]>([
  ['text', wrap('outer', 'why'), 'why'],
  ['an error', wrap('outer', wrap('inner', wrap('innermost'))), 'inner'],
  ['an error with the same message, and its own cause', wrap('outer', wrap('outer', wrap('inner'))), 'inner'],
  ['a failed fetch()', wrap('outer', wrap('outer', wrap('fetch failed', refused))), refused.message],
  ['a failed fetch() without a cause', wrap('outer', wrap('fetch failed')), 'fetch failed'],
  [
    'a host with several addresses',
    wrap('outer', wrap('fetch failed', new AggregateError([refused, wrap('::1')]))),
    refused.message,
  ],
  ['an empty AggregateError', wrap('outer', new AggregateError([])), undefined],
  ['a value that is neither text nor an error', wrap('outer', { secret: 's' }), undefined],
  ['nothing', wrap('outer'), undefined],
  ['the same message only', wrap('outer', wrap('outer')), undefined],
  ['a circle', circle, undefined],
])('the text of a cause: %s', (_, error, text) => expect(causeText(error)).toBe(text))

test('lists an error and its causes, outermost first, and each once', () => {
  const inner = wrap('inner', 'why')
  const outer = wrap('outer', inner)
  expect(causesOf(outer)).toEqual([outer, inner, 'why'])
  inner.cause = outer
  expect(causesOf(outer)).toEqual([outer, inner])
  expect([causesOf('text'), causesOf(undefined)]).toEqual([['text'], []])
})

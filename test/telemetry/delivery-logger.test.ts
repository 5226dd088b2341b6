import { format } from 'node:util'
import { describe, expect, test, vi } from 'vitest'
import { deliveryLogger } from '../../src/telemetry/delivery-logger.ts'
import { consoleLogger } from '../../src/telemetry/logger.ts'

const error = new TypeError('no such label')
const cyclic: Record<string, unknown> = {}
cyclic.self = cyclic

describe('delivery.log takes', () => {
  test.each([
    ['a text', ['plain text'], {}, 'plain text'],
    ['a text with a %', ['100 %% of %s'], {}, '100 %% of %s'],
    ['a text and values', ['%s has %d labels, %j, 100 %%', 'x', 2, { a: 1 }], {}, 'x has 2 labels, {"a":1}, 100 %'],
    ['whole numbers', ['%i %f', '3.7', 3.5], {}, '3 3.5'],
    ['more placeholders than values', ['%s and %s', 'one'], {}, 'one and %s'],
    ['more values than placeholders', ['%s:', 'a', 1, { b: 2 }], {}, 'a: 1 {"b":2}'],
    ['a text and an error', ['cannot label', error], { err: error }, 'cannot label'],
    ['an error in the text', ['cannot label: %s', error], {}, 'cannot label: TypeError: no such label'],
    ['an error', [error], { err: error }, 'no such label'],
    ['an error and a text', [error, 'cannot label %s', 'x'], { err: error }, 'cannot label x'],
    ['fields and a text', [{ label: 'bug' }, 'labelled %s', 'x'], { label: 'bug' }, 'labelled x'],
    ['fields', [{ label: 'bug' }], { label: 'bug' }, ''],
    ['an error as a field', [{ err: error, label: 'bug' }], { err: error, label: 'bug' }, 'no such label'],
    ['an object that refers to itself', ['%o', cyclic], {}, '[object Object]'],
    ['a value that is neither text nor object', [42 as never], {}, '42'],
    ['null as fields', [null as never, 'text'], {}, 'text'],
    ['a value that cannot be converted', ['%d', Symbol('x')], {}, '[cannot be shown]'],
  ])('%s', (_what, args, fields, message) => {
    const warn = vi.fn()
    const log = deliveryLogger({ warn, error: vi.fn() }, { guid: 'g' })
    log.warn(...(args as [string]))
    expect(warn.mock.calls).toEqual([[{ guid: 'g', ...fields }, message]])
  })
})

test('the default logger prints texts and errors of delivery.log', () => {
  const spy = vi.spyOn(console, 'error').mockImplementation(() => {})
  const log = deliveryLogger(consoleLogger, { guid: 'g' })
  log.error('plain text')
  log.error(error)
  const [text, thrown] = spy.mock.calls.map((args) => format(...args))
  spy.mockRestore()
  expect(text).toBe("hookserver: plain text { guid: 'g' }")
  expect(thrown).toContain("hookserver: no such label {\n  guid: 'g',\n  err: TypeError: no such label\n      at ")
})

import { describe, expect, test } from 'vitest'
import {
  checkNames,
  type HandlerOptions,
  type Registration,
  type ResolvedHandlerOptions,
  resolveHandlerOptions,
} from '../src/handler.ts'

const hook = (name: string): Registration => ({ name, events: [], replies: true, handler: () => {}, options: {} })
const listener = (name: string, options: ResolvedHandlerOptions = { name }): Registration => {
  return { name, events: [], replies: false, handler: () => {}, options }
}

describe('the options of a handler', () => {
  test('are valid as they are documented', () => {
    const order = () => 'key'
    for (const options of [
      {},
      { name: 'sync', attempts: 1, backoff: '1ms', timeout: 2 ** 31 - 1, concurrency: 1000, order: 'repository' },
      { order },
      { name: undefined, attempts: undefined, order: undefined },
    ] as HandlerOptions[])
      expect(() => resolveHandlerOptions(options)).not.toThrow()
  })

  test('have durations in milliseconds, or with a unit', () => {
    const resolved = resolveHandlerOptions({ name: 'sync', backoff: '5s', delay: '1ms', timeout: '30ms' })
    expect(resolved).toEqual({ name: 'sync', backoff: 5000, delay: 1, timeout: 30 })
  })

  const wrong: [keyof HandlerOptions, unknown[]][] = [
    ['name', ['', '*', 5, null, {}]],
    ['attempts', [0, -1, 1.5, '12', Number.NaN, Number.POSITIVE_INFINITY, null]],
    ['backoff', [0, -1, 2 ** 31, '5', '5 s', null]],
    ['timeout', [0, 30, 2 ** 31, Number.POSITIVE_INFINITY, null]],
    ['concurrency', [0, 0.5, '25', 5n, null]],
    ['order', ['', 'repo', true, {}, null]],
  ]
  test.each(wrong)('that are invalid are named in the error: %s', (name, values) => {
    for (const value of values) {
      expect(() => resolveHandlerOptions({ [name]: value })).toThrow(TypeError)
      expect(() => resolveHandlerOptions({ [name]: value })).toThrow(`"${name}"`)
    }
  })

  test('that are invalid are shown as given', () => {
    expect(() => resolveHandlerOptions({ attempts: Number.NaN })).toThrow('got NaN')
    expect(() => resolveHandlerOptions({ concurrency: 5n as never })).toThrow('got 5')
    expect(() => resolveHandlerOptions({ name: '*' })).toThrow('got "*"')
  })

  test.each(['retries', 'constructor', '__proto__', 'toString'])('are rejected if they are unknown: %s', (name) => {
    expect(() => resolveHandlerOptions(JSON.parse(`{"${name}":1}`))).toThrow(`Unknown option "${name}" of a handler`)
  })
})

describe('names of handlers', () => {
  test('are accepted if they are unique', () => {
    expect(() => checkNames([hook('hook:push'), listener('a'), listener('b')])).not.toThrow()
    expect(() => checkNames([])).not.toThrow()
  })

  test('may be those that come from the event, and the error about two of them says what to set', () => {
    expect(() => checkNames([listener('on:push', {})])).not.toThrow()
    expect(() => checkNames([listener('on:push', {}), listener('on:push', {})])).toThrow(/"on:push".*option "name"/)
  })

  test('are rejected if two handlers share one', () => {
    expect(() => checkNames([listener('a'), hook('hook:push'), listener('a')])).toThrow(TypeError)
    expect(() => checkNames([listener('hook:push'), hook('hook:push')])).toThrow(
      'Two handlers have the name "hook:push"',
    )
  })
})

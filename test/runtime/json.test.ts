import { describe, expect, test } from 'vitest'
import { type Json, objectIn, textIn, wholeNumberIn } from '../../src/runtime/json.ts'

const data: Json = JSON.parse(
  '{"a":{"b":"c"},"list":[1],"text":"t","n":7,"half":1.5,"none":null,"__proto__":{"x":"y"}}',
)

describe('a member of untrusted JSON', () => {
  test('is an object, a string or a whole number, or undefined', () => {
    expect(objectIn(data, 'a')).toEqual({ b: 'c' })
    expect(textIn(data, 'text')).toBe('t')
    expect(wholeNumberIn(data, 'n')).toBe(7)
    for (const name of ['text', 'n', 'none', 'missing']) expect(objectIn(data, name)).toBeUndefined()
    for (const name of ['a', 'list', 'n', 'none', 'missing']) expect(textIn(data, name)).toBeUndefined()
    for (const name of ['a', 'text', 'half', 'none', 'missing']) expect(wholeNumberIn(data, name)).toBeUndefined()
    for (const number of [Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])
      expect(wholeNumberIn({ number }, 'number')).toBeUndefined()
  })

  test('is never a member of a prototype', () => {
    expect(objectIn({}, '__proto__')).toBeUndefined()
    expect(objectIn({}, 'constructor')).toBeUndefined()
    expect(textIn(Object.create({ text: 't' }), 'text')).toBeUndefined()
    expect(objectIn(data, '__proto__')).toEqual({ x: 'y' })
  })

  test('is undefined in undefined', () => {
    expect([objectIn(undefined, 'a'), textIn(undefined, 'a'), wholeNumberIn(undefined, 'a')]).toEqual(
      Array(3).fill(undefined),
    )
    expect(textIn(objectIn(data, 'missing'), 'b')).toBeUndefined()
  })
})

import { describe, expect, test } from 'vitest'
import {
  digitsIn,
  isRoundedIn,
  type Json,
  keepDigits,
  objectIn,
  textIn,
  wholeNumberIn,
} from '../../src/runtime/json.ts'

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

  test('is a whole number as text, if all digits of the number are known', () => {
    const ids: Json = { number: 7, big: 2n ** 53n + 1n, digits: '9007199254740993' }
    expect(['number', 'big', 'digits'].map((name) => digitsIn(ids, name))).toEqual([
      '7',
      '9007199254740993',
      '9007199254740993',
    ])
    const others: Json = { rounded: 2 ** 53, negative: -1, half: 1.5, text: 'x', list: [7], infinite: Infinity }
    for (const name of [...Object.keys(others), 'missing', 'toString']) expect(digitsIn(others, name)).toBeUndefined()
  })

  test('may be a rounded number', () => {
    const rounded: Json = JSON.parse('{"a":9007199254740993,"b":-9007199254740993,"c":1e400}')
    for (const name of Object.keys(rounded)) expect(isRoundedIn(rounded, name)).toBe(true)
    for (const name of ['n', 'text', 'a', 'list', 'none', 'missing']) expect(isRoundedIn(data, name)).toBe(false)
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

describe('the reviver that keeps digits', () => {
  test.each([
    ['9007199254740991', 9007199254740991],
    ['9007199254740992', '9007199254740992'],
    ['-9007199254740993', '-9007199254740993'],
    ['-0', -0],
    ['1e20', 1e20],
    ['1.5', 1.5],
    ['9007199254740993.0', 9007199254740992],
    ['"9007199254740993"', '9007199254740993'],
    [`1${'0'.repeat(400)}`, `1${'0'.repeat(400)}`],
    ['null', null],
  ])('reads %s as %o', (json, value) => {
    expect(JSON.parse(json, keepDigits)).toBe(value)
    expect(JSON.parse(`[{"n":${json}}]`, keepDigits)).toEqual([{ n: value }])
  })

  test('throws instead of returning a rounded number if the runtime does not pass the source text', () => {
    expect(() => keepDigits('id', 2 ** 53)).toThrow('This runtime rounds integers above 2^53')
    expect(keepDigits('id', 2 ** 53 - 1)).toBe(2 ** 53 - 1)
  })
})

import { describe, expect, test } from 'vitest'
import { compare, maxChanges } from '../../dashboard/payload/compare.ts'

const difference = (before: string, after: string) => compare(JSON.parse(before), JSON.parse(after))

describe('two payloads', () => {
  test('differ by added, removed and changed members', () => {
    const { changes, counts } = difference(
      '{"a":1,"b":{"c":"x"},"list":[1,2],"gone":null}',
      '{"a":1,"b":{"c":"y"},"list":[1,3,4],"new":{"d":true}}',
    )
    expect(changes).toEqual([
      { kind: 'changed', path: 'b.c', before: '"x"', after: '"y"' },
      { kind: 'changed', path: 'list[1]', before: '2', after: '3' },
      { kind: 'added', path: 'list[2]', before: undefined, after: '4' },
      { kind: 'removed', path: 'gone', before: 'null', after: undefined },
      { kind: 'added', path: 'new', before: undefined, after: '{"d":true}' },
    ])
    expect(counts).toEqual({ added: 2, removed: 1, changed: 2 })
  })

  test('that are equal do not differ', () => {
    expect(difference('{"a":[{"b":1}]}', '{"a":[{"b":1}]}').changes).toEqual([])
  })

  test('differ in members with names of Object.prototype', () => {
    expect(difference('{"x":{}}', '{"x":{"constructor":1,"toString":2,"__proto__":3}}').changes).toEqual([
      { kind: 'added', path: 'x.constructor', before: undefined, after: '1' },
      { kind: 'added', path: 'x.toString', before: undefined, after: '2' },
      { kind: 'added', path: 'x.__proto__', before: undefined, after: '3' },
    ])
    expect(difference('{"__proto__":{"a":1}}', '{"__proto__":{"a":2}}').changes).toEqual([
      { kind: 'changed', path: '__proto__.a', before: '1', after: '2' },
    ])
  })

  test('of different kinds differ as a whole', () => {
    expect(difference('{"a":[]}', '{"a":{}}').changes).toMatchObject([{ path: 'a', before: '[]', after: '{}' }])
    expect(difference('[]', '{}').changes).toMatchObject([{ path: '', before: '[]', after: '{}' }])
  })

  test('with many differences show some of them, and count all', () => {
    const list = (by: number) => JSON.stringify(Array.from({ length: 1000 }, (_, index) => index + by))
    const { changes, counts } = difference(list(0), list(1))
    expect([changes.length, counts.changed]).toEqual([maxChanges, 1000])
  })

  test('with long texts show their beginning', () => {
    const { changes } = difference('{}', JSON.stringify({ a: 'x'.repeat(1_000_000), b: [['y'.repeat(1000)]] }))
    for (const { after } of changes) expect(after?.length).toBeLessThan(400)
  })

  test('that are nested too deeply are reported', () => {
    const deep = (end: number) => `${'['.repeat(100_000)}${end}${']'.repeat(100_000)}`
    expect(() => difference(deep(1), deep(2))).toThrow('nested too deeply')
  })
})

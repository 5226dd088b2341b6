import { expect, test } from 'vitest'
import { UsageError } from '../../../src/cli/flags.ts'
import { applyChange, parseChange } from '../../../src/cli/send/payload.ts'

function changed(text: string, payload: object = { zen: 'text', none: null, list: [{ a: 1 }, 2] }): unknown {
  applyChange(payload, parseChange(text))
  return payload
}

test.each([
  ['zen=7', 'zen', 7],
  ['zen=seven', 'zen', 'seven'],
  ['zen="7"', 'zen', '7'],
  ['zen=', 'zen', ''],
  ['zen=a=b', 'zen', 'a=b'],
  ['zen=two\nlines', 'zen', 'two\nlines'],
  ['zen=null', 'zen', null],
  ['list.0.a={"b":[1]}', 'list.0.a', { b: [1] }],
  ['list.1=x', 'list.1', 'x'],
  ['list.2=added', 'list.2', 'added'],
  ['none.a.b=1', 'none.a.b', 1],
  ['new.0=in an object', 'new.0', 'in an object'],
])('--set %j changes the payload', (text, path, value) => {
  expect(changed(text)).toHaveProperty(path.split('.'), value)
})

test.each([
  ['zen', '--set takes path=value'],
  ['=1', '--set takes path=value'],
  ['a..b=1', '--set takes path=value'],
  ['zen.a=1', '--set zen.a: zen is not an object or array'],
  ['list.1.a=1', '--set list.1.a: list.1 is not an object or array'],
  ['list.3=1', '--set list.3: "3" must be an array index from 0 to 2'],
  ['list.last.a=1', '--set list.last.a: "last" must be'],
  ['list.length=0', '--set list.length: "length" must be'],
])('--set %j is an error', (text, message) => {
  expect(() => changed(text)).toThrow(UsageError)
  expect(() => changed(text)).toThrow(message)
})

test('a member may have any name, and does not change a prototype', () => {
  const payload = changed('__proto__.polluted=1', {})
  expect(JSON.stringify(payload)).toBe('{"__proto__":{"polluted":1}}')
  expect({}).not.toHaveProperty('polluted')
})

test('a value is not shared between payloads', () => {
  const change = parseChange('a={"b":1}')
  const [one, two] = [{}, {}]
  for (const payload of [one, two]) applyChange(payload, change)
  applyChange(one, parseChange('a.b=2'))
  expect(two).toEqual({ a: { b: 1 } })
})

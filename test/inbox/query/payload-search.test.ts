import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { estimateParsedSize } from '../../../src/inbox/parsed-size.ts'
import { matchesPayload, matchPayload } from '../../../src/inbox/query/payload-search.ts'

describe('a search of a payload', () => {
  const data = {
    pull_request: {
      user: { login: 'Octocat' },
      number: 7,
      draft: false,
      body: null,
      labels: [{ name: 'bug' }, { name: 'ui' }],
    },
    'a.b': 1,
    hostile: { toString: 1, valueOf: 'x' },
  }
  const has = (path: string, value: string) => matchesPayload(data, [{ path: path.split('.'), value }])

  test.each([
    ['pull_request.user.login', 'octocat', true],
    ['pull_request.user.login', 'OCTOCAT', true],
    ['pull_request.user.login', 'octo', false],
    ['pull_request.number', '7', true],
    ['pull_request.draft', 'false', true],
    ['pull_request.body', 'null', true],
    ['pull_request.labels.name', 'ui', true],
    ['pull_request.labels.name', 'x', false],
    ['pull_request.labels', 'ui', false],
    ['pull_request.user', '[object object]', false],
    ['pull_request.user.login.length', '7', false],
    ['pull_request.missing', 'undefined', false],
    ['constructor.name', 'object', false],
    ['__proto__', 'null', false],
    ['__proto__.__proto__', 'null', false],
    ['hostile', 'x', false],
    ['hostile.toString', '1', true],
  ])('%s is %s: %s', (path, value, expected) => expect(has(path, value)).toBe(expected))

  test('needs all conditions to match', () => {
    const login = { path: ['pull_request', 'user', 'login'], value: 'octocat' }
    expect(matchesPayload(data, [login, { path: ['pull_request', 'number'], value: '7' }])).toBe(true)
    expect(matchesPayload(data, [login, { path: ['pull_request', 'number'], value: '8' }])).toBe(false)
    expect(matchesPayload(undefined, [])).toBe(true)
  })

  test('ends after a limited time for any payload and path', () => {
    const items = Array.from({ length: 5_000_001 }, (_, index) => index)
    expect(matchesPayload({ items }, [{ path: ['items'], value: '4999990' }])).toBe(true)
    expect(matchesPayload({ items }, [{ path: ['items'], value: '5000000' }])).toBe(false)
    const twice = { path: ['items'], value: '3000000' }
    expect(matchesPayload({ items }, [twice, twice])).toBe(false)
    const path = Array.from({ length: 51 }, () => 'a')
    const deep = path.reduce<unknown>((inner) => ({ a: inner }), 'x')
    expect(matchesPayload(deep, [{ path, value: 'x' }])).toBe(false)
  })

  test('accepts any JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.array(fc.string(), { minLength: 1 }), fc.string(), (json, path, value) => {
        expect(typeof matchesPayload(json, [{ path, value }])).toBe('boolean')
      }),
    )
  })
})

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

test.each([
  ['9007199254740993', 'yes'],
  ['9007199254740992', 'yes'], // the rounded number, as the dashboard shows it
  ['9007199254740994', 'no'],
  ['-9007199254740993', 'no'],
] as const)('an integer above 2^53 matches its digits and its rounded value: %s, %s', (value, expected) => {
  for (const [text, form] of [
    ['{"ids":[1,9007199254740993]}', 'json'],
    ['payload={"ids":[1,9007199254740993]}', 'form'],
  ] as const) {
    expect(matchPayload({ form, body: () => bytes(text) }, [{ path: ['ids'], value }], mib)).toBe(expected)
  }
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

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { matchesPayload } from '../../../src/inbox/query/payload-search.ts'

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

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { matchesPaths, parseQuery } from '../../src/inbox/query.ts'

describe('what somebody typed', () => {
  test.each([
    ['', {}],
    ['   ', {}],
    ['flaky test', { words: ['flaky', 'test'] }],
    ['"flaky test"', { words: ['flaky test'] }],
    ['state:dead', { state: 'dead' }],
    ['number:7', { number: 7 }],
    ['number:seven', { paths: [{ path: ['number'], value: 'seven' }] }],
    ['repository:acme/site event:push', { repository: 'acme/site', event: 'push' }],
    ['handler:"two words"', { handler: 'two words' }],
    ['pull_request.user.login:octocat', { paths: [{ path: ['pull_request', 'user', 'login'], value: 'octocat' }] }],
    ['issue.title:"a b" dead', { words: ['dead'], paths: [{ path: ['issue', 'title'], value: 'a b' }] }],
    ['url:https://x.example/y', { paths: [{ path: ['url'], value: 'https://x.example/y' }] }],
    [':', { words: [':'] }],
    [':x', { words: [':x'] }],
    ['x:', { words: ['x:'] }],
    ['"an open quote', { words: ['an open quote'] }],
    ['"fix: the build" push', { words: ['fix: the build', 'push'] }],
    ['a"b c"d', { words: ['ab cd'] }],
    ['state:dead state:done', { state: 'done' }],
    ['__proto__:x', { paths: [{ path: ['__proto__'], value: 'x' }] }],
    ['flag:conflict', { paths: [{ path: ['flag'], value: 'conflict' }] }],
    ['number:-1', { paths: [{ path: ['number'], value: '-1' }] }],
  ])('%j is %j', (text, query) => expect(parseQuery(text)).toEqual(query))

  test('has all columns of a list', () => {
    for (const column of ['event', 'action', 'repository', 'sender', 'source', 'guid', 'ref', 'sha', 'handler'])
      expect(parseQuery(`${column}:x`)).toEqual({ [column]: 'x' })
  })

  test('can be anything', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void parseQuery(text)))
  })
})

describe('a payload’s members', () => {
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
  const has = (path: string, value: string) => matchesPaths(data, [{ path: path.split('.'), value }])

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

  test('must all be there', () => {
    const login = { path: ['pull_request', 'user', 'login'], value: 'octocat' }
    expect(matchesPaths(data, [login, { path: ['pull_request', 'number'], value: '7' }])).toBe(true)
    expect(matchesPaths(data, [login, { path: ['pull_request', 'number'], value: '8' }])).toBe(false)
    expect(matchesPaths(undefined, [])).toBe(true)
  })

  test('of any JSON can be asked for', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.array(fc.string(), { minLength: 1 }), fc.string(), (json, path, value) => {
        expect(typeof matchesPaths(json, [{ path, value }])).toBe('boolean')
      }),
    )
  })
})

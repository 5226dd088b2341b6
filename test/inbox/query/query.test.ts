import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseQuery, QueryError } from '../../../src/inbox/query/query.ts'
import { anyString } from '../../any-string.ts'

const now = 1_769_860_800_000

describe('a search text', () => {
  test.each([
    ['', {}],
    ['   ', {}],
    ['flaky test', { words: ['flaky', 'test'] }],
    ['"flaky test"', { words: ['flaky test'] }],
    ['state:dead', { state: 'dead' }],
    ['number:7', { number: 7 }],
    ['repository:acme/site event:push', { repository: 'acme/site', event: 'push' }],
    ['handler:"two words"', { handler: 'two words' }],
    ['pull_request.user.login:octocat', { paths: [{ path: ['pull_request', 'user', 'login'], value: 'octocat' }] }],
    ['issue.title:"a b" dead', { words: ['dead'], paths: [{ path: ['issue', 'title'], value: 'a b' }] }],
    ['url:https://x.example/y', { paths: [{ path: ['url'], value: 'https://x.example/y' }] }],
    [':', { words: [':'] }],
    ['-', { words: ['-'] }],
    ['event:', { words: ['event:'] }],
    ['event:""', { words: ['event:'] }],
    ['a\tb\nc', { words: ['a', 'b', 'c'] }],
    ['title:"a\nb"', { paths: [{ path: ['title'], value: 'a\nb' }] }],
    [':x', { words: [':x'] }],
    ['x:', { words: ['x:'] }],
    ['"an open quote', { words: ['an open quote'] }],
    ['"fix: the build" push', { words: ['fix: the build', 'push'] }],
    ['a"b c"d', { words: ['ab cd'] }],
    ['state:dead state:done', { state: 'done' }],
    ['__proto__:x', { paths: [{ path: ['__proto__'], value: 'x' }] }],
    ['is:conflict', { flag: 'conflict' }],
    ['flag:replayed is:pulled', { flag: 'pulled' }],
    ['repo:acme/site', { repository: 'acme/site' }],
    ['event:issues.opened', { event: 'issues', action: 'opened' }],
    ['event:issues.opened event:push', { event: 'push' }],
    ['action:closed event:issues', { event: 'issues', action: 'closed' }],
    ['event:a.b.c', { event: 'a', action: 'b.c' }],
    ['event:issues. event:.opened', { event: '.opened' }],
    ['since:2h until:90s', { since: now - 7_200_000, until: now - 90_000 }],
    ['since:2026-01-31', { since: Date.UTC(2026, 0, 31) }],
    ['until:2026-01-31T12:00+01:00', { until: Date.UTC(2026, 0, 31, 11) }],
    ['since:"1769860800000"', { since: 1_769_860_800_000 }],
    ['"since:tomorrow" since:', { words: ['since:tomorrow', 'since:'] }],
    ['since.x:tomorrow', { paths: [{ path: ['since', 'x'], value: 'tomorrow' }] }],
    ['State:gone', { paths: [{ path: ['State'], value: 'gone' }] }],
    ['constructor:x', { paths: [{ path: ['constructor'], value: 'x' }] }],
  ])('%j is %j', (text, query) => expect(parseQuery(text, now)).toEqual(query))

  test('may have all columns of a list', () => {
    for (const column of ['event', 'action', 'repository', 'sender', 'source', 'guid', 'ref', 'sha', 'handler'])
      expect(parseQuery(`${column}:x`)).toEqual({ [column]: 'x' })
  })

  test.each([
    ['state:gone', 'state', 'one of pending, running'],
    ['state:Dead', 'state', 'one of pending, running'],
    ['is:closed', 'is', 'one of conflict, replayed, pulled'],
    ['flag:toString', 'flag', 'one of conflict, replayed, pulled'],
    ['number:seven', 'number', 'a whole number'],
    ['number:-1', 'number', 'a whole number'],
    ['number:99999999999999999', 'number', 'a whole number'],
    ['since:tomorrowish', 'since', 'an age such as 2h or 7d'],
    ['until:2026-13-01', 'until', 'a date such as 2026-01-31'],
    ['since:2026-01-31T12:00', 'since', '2026-01-31T12:00:00Z'], // without a zone
    ['since:0h', 'since', 'an age'],
  ])('is rejected with %j', (text, name, expected) => {
    expect(faultsOf(text)).toEqual([{ name, expected: expect.stringContaining(expected) }])
  })

  test('is rejected with all its errors in one message', () => {
    expect(faultsOf('state:gone word since:x state:dead').map(({ name }) => name)).toEqual(['state', 'since'])
    expect(() => parseQuery('state:gone is:x')).toThrow(/^state: expected one of .*; is: expected one of /)
  })

  test.each(['""', '"', '"""', 'dead ""', '\0', 'a\0b', '"\n"', '"a\tb"', '\x1b', '\x7f', '\x85x', '"\0":x'])(
    'has an invalid word in %j',
    (text) => {
      expect(faultsOf(text)).toEqual([
        { name: 'words', expected: 'a word that is not empty and has no control characters' },
      ])
    },
  )

  test('has at least one condition unless it is blank', () => {
    const character = fc.constantFrom(...'":. \t\n\0\x1b\x85-%_*\\a', 'is', 'event', 'since')
    const texts = fc.oneof(anyString(), fc.string({ unit: character }))
    fc.assert(
      fc.property(texts, (text) => {
        fc.pre(text.trim() !== '' && faultsOf(text).length === 0)
        const { words, ...others } = parseQuery(text)
        expect(words?.length ?? Object.keys(others).length).toBeGreaterThan(0)
        expect(words ?? []).not.toContain('')
        expect((words ?? []).join('')).not.toMatch(/\p{Cc}/u)
      }),
    )
  })

  test('never throws anything but QueryError', () => {
    const texts = fc.oneof(
      anyString(),
      fc
        .tuple(fc.constantFrom('since', 'state', 'number', 'event', 'is', 'repo'), fc.string())
        .map((all) => all.join(':')),
    )
    fc.assert(fc.property(texts, (text) => void faultsOf(text)))
  })
})

function faultsOf(text: string): QueryError['faults'] {
  try {
    parseQuery(text)
    return []
  } catch (error) {
    expect(error).toBeInstanceOf(QueryError)
    return (error as QueryError).faults
  }
}

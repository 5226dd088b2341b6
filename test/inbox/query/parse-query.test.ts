import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseQuery } from '../../../src/inbox/query/parse-query.ts'
import { type Expression, QueryError } from '../../../src/inbox/query/query.ts'
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
    ['.url:https://x.example/y', { paths: [{ path: ['url'], value: 'https://x.example/y' }] }],
    [':', { words: [':'] }],
    ['-', { words: ['-'] }],
    ['event:', { words: ['event:'] }],
    ['event:""', { words: ['event:'] }],
    ['a\tb\nc', { words: ['a', 'b', 'c'] }],
    ['.title:"a\nb"', { paths: [{ path: ['title'], value: 'a\nb' }] }],
    [':x', { words: [':x'] }],
    ['x:', { words: ['x:'] }],
    ['"an open quote', { words: ['an open quote'] }],
    ['"fix: the build" push', { words: ['fix: the build', 'push'] }],
    ['a"b c"d', { words: ['ab cd'] }],
    ['state:dead state:done', { state: 'done' }],
    ['.__proto__:x', { paths: [{ path: ['__proto__'], value: 'x' }] }],
    ['is:conflict', { flag: 'conflict' }],
    ['is:gone', { flag: 'gone' }],
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
    ['.State:gone', { paths: [{ path: ['State'], value: 'gone' }] }],
    [
      '.constructor:x .a.b:"c, d*"',
      {
        paths: [
          { path: ['constructor'], value: 'x' },
          { path: ['a', 'b'], value: 'c, d*' },
        ],
      },
    ],
    ['"status:dead"', { words: ['status:dead'] }],
    ['"-x" - -- "or"', { words: ['-x', '-', '--', 'or'] }],
  ])('%j is %j', (text, query) => expect(parseQuery(text, now)).toEqual(query))

  test.each<[text: string, expression: Expression]>([
    [
      'state:dead,retrying',
      {
        any: [
          { column: 'state', is: 'dead' },
          { column: 'state', is: 'retrying' },
        ],
      },
    ],
    ['-state:done', { not: { column: 'state', is: 'done' } }],
    [
      '-state:done,ignored',
      {
        not: {
          any: [
            { column: 'state', is: 'done' },
            { column: 'state', is: 'ignored' },
          ],
        },
      },
    ],
    ['repo:acme/*', { column: 'repository', startsWith: 'acme/' }],
    ['failure:65070568349853', { column: 'failure_group', is: 65_070_568_349_853 }],
    ['repo:*', { column: 'repository', startsWith: '' }],
    ['org:acme', { column: 'repository', startsWith: 'acme/' }],
    ['event:pull_req*', { column: 'event', startsWith: 'pull_req' }],
    [
      'event:issues.*',
      {
        all: [
          { column: 'event', is: 'issues' },
          { column: 'action', startsWith: '' },
        ],
      },
    ],
    [
      'event:push,issues.opened',
      {
        any: [
          { column: 'event', is: 'push' },
          {
            all: [
              { column: 'event', is: 'issues' },
              { column: 'action', is: 'opened' },
            ],
          },
        ],
      },
    ],
    [
      'handler:"a, b*","c"',
      {
        any: [
          { column: 'handler', is: 'a, b*' },
          { column: 'handler', is: 'c' },
        ],
      },
    ],
    [
      'branch:main',
      {
        any: [
          { column: 'ref', is: 'refs/heads/main' },
          { column: 'ref', is: 'main' },
        ],
      },
    ],
    [
      'branch:feature/*',
      {
        any: [
          { column: 'ref', startsWith: 'refs/heads/feature/' },
          { column: 'ref', startsWith: 'feature/' },
        ],
      },
    ],
    [
      'tag:v1',
      {
        any: [
          { column: 'ref', is: 'refs/tags/v1' },
          { column: 'ref', is: 'v1' },
        ],
      },
    ],
    ['sha:C0FFEE1', { column: 'sha', startsWith: 'c0ffee1' }],
    ['error:"answered 503"', { column: 'error', contains: 'answered 503' }],
    ['title:a,b', { column: 'title', contains: 'a,b' }],
    ['duration:>5s', { column: 'duration', above: 5000 }],
    ['duration:<200ms', { column: 'duration', below: 200 }],
    ['-is:pulled', { not: { column: 'flag', is: 'pulled' } }],
    ['-bot', { not: { column: 'word', contains: 'bot' } }],
    [
      'state:dead or event:push OR flaky',
      {
        any: [
          { column: 'state', is: 'dead' },
          { column: 'event', is: 'push' },
          { column: 'word', contains: 'flaky' },
        ],
      },
    ],
  ])('%j has a condition on columns', (text, expression) => {
    const { where = [], ...others } = parseQuery(text, now)
    expect(others).toEqual({})
    expect(where.map((one) => one.expression)).toEqual([expression])
    // The text of the condition has the same meaning, so a client can send it to a server.
    expect(parseQuery(where[0]?.text ?? '', now)).toEqual({ where })
  })

  test('keeps each negated condition, and the last of the others with the same key', () => {
    expect(parseQuery('-state:done -state:dead').where).toHaveLength(2)
    expect(parseQuery('repo:a/* repo:b/*').where).toEqual([
      { text: 'repo:b/*', expression: { column: 'repository', startsWith: 'b/' } },
    ])
    expect(parseQuery('state:dead,done state:dead')).toEqual({ state: 'dead' })
  })

  test.each([
    [
      'status:dead',
      /^Unknown key "status"\. Did you mean "state"\? To search for a member of the payload, begin with a dot/,
    ],
    ['State:dead', /^Unknown key "State"\. Did you mean "state"\?/],
    [
      'forced:true',
      /^Unknown key "forced"\. To .* begin with a dot: "\.forced:"\. To search for a text, put it in quotes\.$/,
    ],
    ['__proto__:x', /^Unknown key "__proto__"/],
    [`${'x'.repeat(60)}:y`, new RegExp(`^Unknown key "${'x'.repeat(50)}"`)],
  ])('with an unknown key, such as %j, is rejected with a correction', (text, message) => {
    expect(() => parseQuery(text)).toThrow(message)
  })

  test('is parsed in linear time', () => {
    const parts = [
      'a',
      '"',
      '"a',
      ':',
      '-',
      '*',
      ',',
      'state:dead,',
      'or ',
      '#',
      'acme/',
      '@',
      '.',
      'https://',
      'a:*,"',
      '\n',
    ]
    for (const part of parts) faultsOf(part.repeat(200_000 / part.length))
    for (const part of parts) faultsOf(`event:${part.repeat(200_000 / part.length)}`)
  })

  test('may have all columns of a list', () => {
    for (const column of ['event', 'action', 'repository', 'sender', 'source', 'guid', 'ref', 'sha', 'handler'])
      expect(parseQuery(`${column}:x`)).toEqual({ [column]: 'x' })
  })

  test.each([
    ['state:Dead', 'state', 'one of pending, running'],
    ['is:closed', 'is', 'one of conflict, replayed, pulled, gone, retried'],
    ['is:dead', 'is', 'retried. Did you mean "state:dead"?'],
    ['state:gone', 'state', 'ignored. Did you mean "is:gone"?'],
    ['state:dead*', 'state', 'ignored. Did you mean "state:dead"?'],
    ['flag:toString', 'flag', 'one of conflict, replayed, pulled'],
    ['number:seven', 'number', 'a whole number'],
    ['number:-1', 'number', 'a whole number'],
    ['failure:timeout', 'failure', 'the id of a failure group'],
    ['number:99999999999999999', 'number', 'a whole number'],
    ['since:tomorrowish', 'since', 'an age such as 2h or 7d'],
    ['state:ded', 'state', 'ignored. Did you mean "dead"?'],
    ['state:dead,gone', 'state', 'one of pending, running'],
    ['state:de*', 'state', 'one of pending, running'],
    ['state:,', 'state', 'one of pending, running'],
    ['event:pull*opened', 'event', 'put a text with another * in quotes'],
    ['org:acme/shop', 'org', 'the name of an organization or user'],
    ['number:1,x', 'number', 'a whole number'],
    ['duration:5s', 'duration', '> or < and a duration'],
    ['duration:>5', 'duration', '> or < and a duration'],
    ['error:"a\nb"', 'error', 'a text without control characters'],
    ['-since:2h', '-since:2h', 'a word or a condition on columns after the minus'],
    ['-a.b:c', '-a.b:c', 'a word or a condition on columns after the minus'],
    ['or', 'or', 'a condition before and after it'],
    ['a or', 'or', 'a condition before and after it'],
    ['a or or b', 'or', 'a condition before and after it'],
    ['a or b.c:d', 'or', 'words and conditions on columns, not b.c:d'],
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
        .tuple(
          fc.constantFrom('since', 'state', 'number', 'event', 'is', 'repo', 'duration', '-org', 'https', 'x.y'),
          fc.string(),
        )
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

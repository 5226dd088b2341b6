import fc from 'fast-check'
import { expect, test } from 'vitest'
import { findText, type Names, pathOf, searchPathOf } from '../../dashboard/payload/path.ts'
import { parseQuery } from '../../src/inbox/query/parse-query.ts'
import { matchesPayload } from '../../src/inbox/query/payload-search.ts'
import { anyString } from '../any-string.ts'

test.each<[Names, string, string | undefined]>([
  [['pull_request', 'user', 'login'], 'pull_request.user.login', 'pull_request.user.login'],
  [['commits', 0, 'author', 'name'], 'commits[0].author.name', 'commits.author.name'],
  [[0, 'a'], '[0].a', '.a'],
  [['a.b', 'c d'], '["a.b"]["c d"]', undefined],
  [['', 'x'], '[""].x', undefined],
  [[0], '[0]', undefined],
])('formats the path %j for programs and for the search', (names, path, searchPath) => {
  expect([pathOf(names), searchPathOf(names)]).toEqual([path, searchPath])
})

test.each<[Names, unknown, string | undefined]>([
  [['sender', 'login'], 'octocat', 'sender.login:octocat'],
  [['issue', 'title'], 'Two words: and more', 'issue.title:"Two words: and more"'],
  [['issue', 'closed_at'], null, 'issue.closed_at:null'],
  [['issue', 'number'], 7, 'issue.number:7'],
  [['issue', 'title'], 'a "b"', undefined],
  [['issue', 'body'], 'two\nlines', undefined],
  [['issue', 'title'], 'two  spaces', undefined],
  [['issue', 'title'], 'no\u00a0break', undefined],
  [['issue', 'body'], '', undefined],
  [['issue', 'body'], 'x'.repeat(1000), undefined],
  [['issue'], {}, undefined],
  [['state'], 'success', '.state:success'],
  [['labels', 'name'], 'a, b', 'labels.name:"a, b"'],
  [['-x', 'y'], 1, '.-x.y:1'],
  [['@', 'y'], 1, '.@.y:1'],
  [['a', 'bc/'], 'd/e', '.a.bc/:d/e'],
  [['label', 'name'], '20/a/b', 'label.name:"20/a/b"'],
])('turns the path %j with the value %j into the search %j', (names, value, text) => {
  expect(findText(names, value)).toBe(text)
})

test('offers only searches that find the payload itself', () => {
  const name = fc.oneof(
    fc.constantFrom('state', 'number', 'title', 'since', '__proto__', 'a b', '@', 'a@b', 'bc/'),
    fc.string(),
  )
  const value = fc.oneof(
    anyString(),
    fc.constantFrom('20/a/b', 'a/b/c', '#1'),
    fc.integer(),
    fc.double(),
    fc.boolean(),
    fc.constant(null),
  )
  fc.assert(
    fc.property(fc.array(name, { minLength: 1, maxLength: 3 }), value, (names, member) => {
      const text = findText(names, member)
      if (text === undefined) return
      const payload = names.reduceRight<unknown>((inner, key) => Object.fromEntries([[key, inner]]), member)
      const { paths = [], ...others } = parseQuery(text)
      expect(others).toEqual({})
      expect(paths).toHaveLength(1)
      expect(matchesPayload(payload, paths)).toBe(true)
    }),
    { numRuns: 2000 },
  )
})

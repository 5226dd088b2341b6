import { expect, test } from 'vitest'
import { parseQuery } from '../../../src/inbox/query/parse-query.ts'
import { searchText } from '../../../src/inbox/query/search-text.ts'

const now = Date.UTC(2026, 0, 31, 12)

test.each([
  ['state:dead event:push', 'state:dead event:push'],
  ['dead', '"dead"'],
  ['state:dead,retrying "two words" -error:503', '"two words" state:dead,retrying -error:503'],
  ['since:2h', 'since:2026-01-31T10:00:00.000Z'],
  ['pull_request.user.login:octocat', '."pull_request.user.login":"octocat"'],
  ['guid:"a b"', 'guid:"a b"'],
  ['', ''],
])('the text of the query for %j finds the same deliveries', (text, expected) => {
  const query = parseQuery(text, now)
  expect(searchText({ ...query, limit: 10, before: 5, budget: 3 })).toBe(expected)
  expect(withoutTexts(parseQuery(expected, now))).toEqual(withoutTexts(query))
})

const withoutTexts = ({ where, ...query }: ReturnType<typeof parseQuery>) => {
  return { ...query, where: where?.map(({ expression }) => expression) }
}

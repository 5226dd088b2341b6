/** Searches of issues, repositories and code. */
import { describe, expect, test } from 'vitest'
import { ask, octokitFor, start } from './scene.ts'

const repo = { owner: 'octo', repo: 'hello' }

test.each([
  ['repo:octo/hello', [1, 2, 3]],
  ['repo:octo/hello is:issue is:open', [1]],
  ['repo:octo/hello is:pr', [3]],
  ['state:closed', [2]],
  ['label:"help wanted"', [1]],
  ['-label:"help wanted" user:octo', [2, 3]],
  ['no:label type:issue', [2]],
  ['CART', [1, 3]],
  ['"the cart" assignee:mona', [1]],
  ['author:octocat head:feature base:main', [3]],
  ['is:merged', []],
  ['repo:octo/other repo:octo/hello is:open', [1, 3]],
  ['-repo:octo/hello', []],
])('a search for %s finds %j', async (q, numbers) => {
  const github = await start({ token: 'right' })
  github.addRepository('octo/hello')
  github.addRepository('octo/other')
  github.addCollaborator('octo/hello', 'mona')
  const { rest } = octokitFor(github, 'right')
  const labels = ['Help wanted']
  await rest.issues.create({ ...repo, title: 'Broken', body: 'The cart is empty', labels, assignees: ['mona'] })
  await rest.issues.create({ ...repo, title: 'Old' })
  await rest.issues.update({ ...repo, issue_number: 2, state: 'closed' })
  await rest.pulls.create({ ...repo, title: 'Repair the cart', head: 'feature', base: 'main' })
  const { data } = await rest.search.issuesAndPullRequests({ q, order: 'asc' })
  expect([data.items.map(({ number }) => number), data.total_count]).toEqual([numbers, numbers.length])
})

test('a search rejects unknown qualifiers, and hides private repositories', async () => {
  const github = await start({ token: 'right' })
  github.addRepository('octo/secret', { private: true })
  await ask(github, 'POST /repos/octo/secret/issues', { token: 'right', body: { title: 'Hidden' } })
  const search = (q: string, token?: string) => ask(github, `GET /search/issues?q=${encodeURIComponent(q)}`, { token })
  expect((await search('hidden', 'right')).json.total_count).toBe(1)
  expect((await search('hidden')).json.total_count).toBe(0)
  for (const q of ['created:>2020-01-01', 'is:strange', 'is:constructor', ' '])
    expect((await search(q, 'right')).status).toBe(422)
  const { status, json } = await search('repo:octo/secret')
  expect([status, json.errors]).toMatchObject([422, [{ message: expect.stringMatching(/^The listed users and/) }]])
})

test.each([
  ['HELLO', ['octo/hello-world', 'octo/hello']],
  ['hello user:octo in:name is:public', ['octo/hello']],
  ['is:private', ['octo/hello-world']],
  ['org:acme org:octo world', ['acme/world', 'octo/hello-world']],
])('a search of repositories for %s finds %j', async (q, names) => {
  const github = await start({ token: 'right' })
  github.addRepository('octo/hello')
  github.addRepository('octo/hello-world', { private: true })
  github.addRepository('acme/world')
  const { data } = await octokitFor(github, 'right').rest.search.repos({ q })
  expect(data.items.map(({ full_name }) => full_name)).toEqual(names)
  const open = await ask(github, `GET /search/repositories?order=asc&q=${encodeURIComponent('octo hello')}`)
  expect([open.status, open.json.total_count]).toEqual([200, 0])
})

describe('a search of code', () => {
  async function scene() {
    const github = await start({ token: 'right' })
    const files = {
      'README.md': 'Say hello',
      'docs/guide.md': 'hello, too',
      'src/app.ts': "export const word = 'Hello'",
    }
    github.addRepository('octo/hello', { files })
    github.addRepository('octo/secret', {
      private: true,
      files: { 'a.md': 'hello', 'big.txt': 'hello'.repeat(100_000) },
    })
    const search = (q: string, token?: string) => ask(github, `GET /search/code?q=${encodeURIComponent(q)}`, { token })
    return { github, search }
  }

  test.each([
    ['hello', ['README.md', 'docs/guide.md', 'src/app.ts', 'a.md']],
    ['hello repo:octo/hello extension:md', ['README.md', 'docs/guide.md']],
    ['hello path:docs', ['docs/guide.md']],
    ['hello path:/ repo:octo/hello', ['README.md']],
    ['filename:app user:octo', ['src/app.ts']],
    ['hello -extension:md', ['src/app.ts']],
  ])('for %s finds %j', async (q, paths) => {
    const { github } = await scene()
    const { data } = await octokitFor(github, 'right').rest.search.code({ q })
    expect(data.items.map(({ path }) => path)).toEqual(paths)
  })

  test('needs a token and a word, and hides private repositories', async () => {
    const { github, search } = await scene()
    const anonymous = await search('hello')
    expect([anonymous.status, anonymous.json]).toMatchObject([
      ...[
        401,
        { message: 'Requires authentication', errors: [{ message: expect.stringMatching(/^Must be authenticated/) }] },
      ],
    ])
    for (const q of ['', 'repo:octo/hello', 'hello language:ts']) expect((await search(q, 'right')).status).toBe(422)
    const narrow = github.addToken({ login: 'mona', scopes: ['public_repo'] })
    expect((await search('hello', narrow)).json.total_count).toBe(3)
  })
})

/** A repository with many files that contain "hello". */
async function startLarge(count: number) {
  const github = await start({ token: 'right' })
  const names = Array.from({ length: count }, (_, index) => [`${index}.md`, 'hello'])
  github.addRepository('octo/hello', { files: Object.fromEntries(names) })
  return github
}

test.each([
  ['code', 'hello', 30, 33],
  ['code', 'hello', 100, 10],
  ['repositories', 'hello', 30, 34],
  ['issues', 'is:open', 7, 143],
])('a search of %s for %s with %i results a page has %i pages at most', async (kind, q, size, last) => {
  const github = await startLarge(kind === 'code' ? 1010 : 1)
  const page = (number: number) =>
    ask(github, `GET /search/${kind}?q=${q}&per_page=${size}&page=${number}`, { token: 'right' })
  const shown = await page(last)
  expect([shown.status, shown.json.total_count]).toEqual([200, kind === 'code' ? 1010 : kind === 'issues' ? 0 : 1])
  const { status, json } = await page(last + 1)
  expect([status, json.message]).toEqual([422, 'Only the first 1000 search results are available'])
  if (kind === 'code') {
    expect(shown.json.items).toHaveLength(size)
    expect((await page(1)).headers.get('link')).toMatch(new RegExp(`&page=${last}>; rel="last"`))
  }
})

test.each([
  ['issues', 'right', 30, 'search'],
  ['repositories', undefined, 10, 'search'],
  ['code', 'right', 10, 'code_search'],
])('a search of %s with the token %s is allowed %i times a minute', async (kind, token, limit, resource) => {
  const github = await startLarge(1)
  const search = () => ask(github, `GET /search/${kind}?q=hello`, { token })
  for (let left = limit - 1; left >= 0; left--) {
    const { status, headers } = await search()
    const shown = ['limit', 'remaining', 'resource'].map((name) => headers.get(`x-ratelimit-${name}`))
    expect([status, ...shown]).toEqual([200, String(limit), String(left), resource])
  }
  const { status, json, headers } = await search()
  expect([status, json.message]).toEqual([403, expect.stringMatching(/^API rate limit exceeded for /)])
  const wait = Number(headers.get('x-ratelimit-reset')) * 1000 - github.clock.now()
  expect(wait).toBeLessThanOrEqual(60_000)
  expect((await ask(github, 'GET /meta', { token })).headers.get('x-ratelimit-used')).toBe('1')
  github.clock.advance(60_000)
  expect((await search()).status).toBe(200)
})

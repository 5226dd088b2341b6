import { expect, test } from 'vitest'
import { parseQuery } from '../../../src/inbox/query/parse-query.ts'
import type { Expression } from '../../../src/inbox/query/query.ts'

const sha = '6dcb09b5b57875f334f61aebed695e2e4193db5e'

test.each([
  ['https://github.com/acme/shop', { repository: 'acme/shop' }],
  ['https://github.com/acme/shop.git', { repository: 'acme/shop' }],
  ['http://www.github.com/acme/shop/', { repository: 'acme/shop' }],
  ['github.com/acme/shop', { repository: 'acme/shop' }],
  ['git@github.com:acme/shop.git', { repository: 'acme/shop' }],
  ['ssh://git@github.com/acme/shop.git', { repository: 'acme/shop' }],
  ['https://github.com/acme/shop/pulls?q=is%3Aopen', { repository: 'acme/shop' }],
  ['https://github.com/acme/shop/pull/182', { repository: 'acme/shop', number: 182 }],
  ['https://github.com/acme/shop/pull/182/files#diff-1', { repository: 'acme/shop', number: 182 }],
  ['https://github.com/acme/shop/issues/7#issuecomment-1', { repository: 'acme/shop', number: 7 }],
  ['https://github.com/acme/shop/discussions/8', { repository: 'acme/shop', number: 8 }],
  ['https://ghe.example/acme/shop/pull/182', { repository: 'acme/shop', number: 182 }],
  ['https://api.github.com/repos/acme/shop/pulls/182', { repository: 'acme/shop', number: 182 }],
  ['https://ghe.example/api/v3/repos/acme/shop/issues/9', { repository: 'acme/shop', number: 9 }],
  ['github.acme.com:8443/acme/shop/pull/182', { repository: 'acme/shop', number: 182 }],
  ['ghe.example/acme/shop', { repository: 'acme/shop' }],
  ['api.github.com/repos/acme/shop/pulls/182', { repository: 'acme/shop', number: 182 }],
  ['ssh://git@ssh.github.com:443/acme/shop.git', { repository: 'acme/shop' }],
  ['<https://github.com/acme/shop/pull/182>', { repository: 'acme/shop', number: 182 }],
  ['https://github.com/acme/shop/pull/182,', { repository: 'acme/shop', number: 182 }],
  ['https://github.com/acme/shop,', { repository: 'acme/shop' }],
  ['(#182).', { number: 182 }],
  ['acme/shop#182)', { repository: 'acme/shop', number: 182 }],
  ['acme/shop#182', { repository: 'acme/shop', number: 182 }],
  ['#182', { number: 182 }],
  [`https://github.com/acme/shop/commit/${sha}`, { repository: 'acme/shop', sha }],
  [sha.toUpperCase(), { sha }],
  ['72d3162E-cc78-11e3-81ab-4c9367dc0958', { guid: '72d3162e-cc78-11e3-81ab-4c9367dc0958' }],
  ['#182 state:dead', { number: 182, state: 'dead' }],
])('%s is found by columns', (text, query) => expect(parseQuery(text)).toEqual(query))

const inShop = { column: 'repository', is: 'acme/shop' } as const
const refs = (...names: string[]): Expression => ({ any: names.map((is) => ({ column: 'ref', is }) as const) })

test.each<[string, Expression]>([
  ['https://github.com/acme', { column: 'repository', startsWith: 'acme/' }],
  ['https://github.com/orgs/acme', { column: 'repository', startsWith: 'acme/' }],
  ['github.acme.com:8443/acme', { column: 'repository', startsWith: 'acme/' }],
  ['refs/heads/main', refs('refs/heads/main', 'main')],
  ['refs/heads/feature/x,', refs('refs/heads/feature/x', 'feature/x')],
  ['refs/tags/v1.2', refs('refs/tags/v1.2', 'v1.2')],
  [
    'refs/heads/fe*',
    {
      any: [
        { column: 'ref', startsWith: 'refs/heads/fe' },
        { column: 'ref', startsWith: 'fe' },
      ],
    },
  ],
  ['refs/notes/*', { column: 'ref', startsWith: 'refs/notes/' }],
  ['c0ffee1', { column: 'sha', startsWith: 'c0ffee1' }],
  ['acme/shop@C0FFEE1', { all: [inShop, { column: 'sha', startsWith: 'c0ffee1' }] }],
  ['https://github.com/acme/shop/commit/c0ffee1', { all: [inShop, { column: 'sha', startsWith: 'c0ffee1' }] }],
  ['https://github.com/acme/shop/tree/main', { all: [inShop, { any: [refs('refs/heads/main', 'main')] }] }],
  [
    'https://github.com/acme/shop/blob/feature/x/README.md',
    {
      all: [
        inShop,
        {
          any: ['feature', 'feature/x', 'feature/x/README.md'].map((one) => refs(`refs/heads/${one}`, one)),
        },
      ],
    },
  ],
  ['https://github.com/acme/shop/tree/fix(x)', { all: [inShop, { any: [refs('refs/heads/fix(x)', 'fix(x)')] }] }],
  ['https://github.com/acme/shop/releases/tag/v1.2', { all: [inShop, refs('refs/tags/v1.2', 'v1.2')] }],
])('%s is found by the columns of its conditions', (text, expression) => {
  expect(parseQuery(text)).toEqual({ where: [{ text, expression }] })
})

test.each([
  'acme/shop',
  'defaced',
  '20260131',
  'c0ffee',
  '"c0ffee1"',
  '"#182"',
  '#fix',
  'a@b.c',
  'and/or',
  'src/app.ts',
  'v1.2/a/b',
  '(flaky).',
  'octocat[bot]',
  '"refs/heads/main"',
  '"https://x.example"',
])('%s is a word', (text) => expect(parseQuery(text)).toEqual({ words: [text.replaceAll('"', '')] }))

test.each([
  'https://github.com/acme/shop/actions/runs/1',
  'https://github.com/acme/shop/pull/x',
  'https://github.com/acme/shop/releases/tag',
  'https://github.com/acme/shop/compare/a...b',
  'https://github.com/',
  'https://github.com/%',
  'https://',
  'github.com/acme/shop/wiki/Home',
  'github.acme.com:8443/acme/shop/wiki/Home',
  'https://gist.github.com/octocat/6cad326836d38bd3a7ae',
  'https://gist.ghe.example/octocat/6cad326836d38bd3a7ae',
  'https://docs.github.com/en/rest',
  'git@gist.github.com:6cad326836d38bd3a7ae.git',
])('%s is rejected, and not searched for in payloads', (text) => {
  expect(() => parseQuery(text)).toThrow(/^address: expected the address of a repository, .* search in the payload/)
})

test.each([
  ['pull_request.head.ref:refs/heads/main', { path: ['pull_request', 'head', 'ref'], value: 'refs/heads/main' }],
  ['repository.owner.login:acme', { path: ['repository', 'owner', 'login'], value: 'acme' }],
])('%s is a path in the payload', (text, path) => expect(parseQuery(text)).toEqual({ paths: [path] }))

test('a ref is found by columns', () => {
  expect(parseQuery('refs/pull/182/head')).toEqual({ ref: 'refs/pull/182/head' })
})

import { expect, test } from 'vitest'
import type { RequestError } from '../../../src/github/requester.ts'
import type { Target } from '../../../src/github/target.ts'
import { type Access, explainDeniedAccess, explainInvalid } from '../../../src/github/webhooks/denied-access.ts'

const repository: Target = { repository: 'acme/shop' }

const failure = (status: number, headers: object, data?: object): RequestError =>
  Object.assign(new Error('Not allowed'), { status, response: { headers, data } })

test.each<[number, object, Target, Access, string]>([
  [
    ...([403, { 'x-accepted-github-permissions': 'repository_hooks=write' }, repository, 'write'] as const),
    'GitHub does not allow this token to change the webhooks of acme/shop (403: Not allowed): make sure that the token or the App has the repository permission "Webhooks" with Read and write (repository_hooks=write)',
  ],
  [
    ...([404, {}, { organization: 'acme' }, 'read'] as const),
    'GitHub shows no webhooks of acme (404): check its spelling, and that the token or the App has the organization permission "Webhooks" with Read-only (organization_hooks=read)',
  ],
  [
    ...([404, { 'x-oauth-scopes': 'repo:status' }, repository, 'write'] as const),
    'GitHub shows no webhooks of acme/shop (404): check its spelling, and that the classic token has the scope write:repo_hook (it has repo:status)',
  ],
  [
    ...([403, { 'x-oauth-scopes': '' }, { organization: 'acme' }, 'read'] as const),
    'GitHub does not allow this token to read the webhooks of acme (403: Not allowed): make sure that the classic token has the scope admin:org_hook (it has none)',
  ],
])('a response %i with %j names the missing permission or scope', (status, headers, target, access, text) => {
  expect(explainDeniedAccess(failure(status, headers), target, access)).toBe(text)
})

test('other errors are not about access', () => {
  expect(explainDeniedAccess(failure(500, {}), repository, 'read')).toBeUndefined()
  expect(explainInvalid(failure(500, {}))).toBeUndefined()
})

test("a rejected change shows GitHub's reasons", () => {
  const errors = [{ message: 'Hook already exists on this repository' }, { field: 'events', code: 'invalid' }, 'no']
  expect(explainInvalid(failure(422, {}, { errors }))).toBe(
    'GitHub rejected the webhook (422): Hook already exists on this repository; events is invalid; no',
  )
  expect(explainInvalid(failure(422, {}))).toBe('GitHub rejected the webhook (422): Not allowed')
})

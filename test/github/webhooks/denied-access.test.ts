import { expect, test } from 'vitest'
import type { RequestError } from '../../../src/github/requester.ts'
import type { Target } from '../../../src/github/target.ts'
import { type Access, explainDeniedAccess, explainInvalid } from '../../../src/github/webhooks/denied-access.ts'
import { findOnlyWebhook } from '../../../src/github/webhooks/find-webhooks.ts'

const repository: Target = { repository: 'acme/shop' }

const failure = (status: number, headers: object, data?: object | string): RequestError =>
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

const allowList =
  'Although you appear to have the correct authorization credentials, the `acme` organization has an IP allow list enabled, and your IP address is not permitted to access this resource.'
const page = 'https://github.com/orgs/acme/sso?authorization_request=AZ'
const archived = 'Repository was archived so is read-only.'

test.each<[string, RequestError, Access, string]>([
  [
    'single sign-on',
    failure(403, { 'x-github-sso': `required; url=${page}`, 'x-oauth-scopes': 'repo' }),
    'read',
    `GitHub does not allow this token to read the webhooks of acme/shop (403). The organization requires SAML single sign-on: authorize the token at ${page}`,
  ],
  [
    'single sign-on without an address',
    failure(403, { 'x-github-sso': 'required' }),
    'write',
    "GitHub does not allow this token to change the webhooks of acme/shop (403). The organization requires SAML single sign-on: authorize the token in GitHub's settings for tokens",
  ],
  [
    'an archived repository',
    Object.assign(failure(403, {}), { message: archived }),
    'write',
    'GitHub does not allow changes to acme/shop (403), because the repository is archived: unarchive it first',
  ],
  [
    'an IP allow list, and no permission',
    Object.assign(failure(403, {}), { message: allowList }),
    'read',
    `GitHub does not allow this token to read the webhooks of acme/shop (403): ${allowList}`,
  ],
  [
    'a suspended installation, and no permission',
    Object.assign(failure(403, {}), { message: 'This installation has been suspended' }),
    'write',
    'GitHub does not allow this token to change the webhooks of acme/shop (403): This installation has been suspended',
  ],
  [
    'a page of a proxy',
    Object.assign(failure(403, {}, '<html>no</html>'), { message: '<html>no</html>' }),
    'read',
    'GitHub does not allow this token to read the webhooks of acme/shop (403): make sure that the token or the App has the repository permission "Webhooks" with Read-only (repository_hooks=read)',
  ],
])('the explanation names %s', (_, error, access, text) => {
  expect(explainDeniedAccess(error, repository, access)).toBe(text)
})

test.each([
  failure(403, { 'x-github-sso': `required; url=${page}` }),
  Object.assign(failure(403, {}), { message: allowList }),
  failure(404, {}),
])('the search for the webhooks of recovery and polling gives the same explanation: %j', async (error) => {
  const github = { request: () => Promise.reject(error) }
  const message = explainDeniedAccess(error, repository, 'read')
  await expect(findOnlyWebhook(repository, github)).rejects.toThrow(message)
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

import { expect, test } from 'vitest'
import { exchangeUserCode, GitHubUser, parseGroup } from '../../../src/github/app/user-login.ts'

test.each([
  ['acme', { organization: 'acme' }],
  ['acme/ops', { organization: 'acme', team: 'ops' }],
  ['acme/v1.2_ops-team', { organization: 'acme', team: 'v1.2_ops-team' }],
  ['acme/..', undefined],
  ['acme/.', undefined],
  ['acme/-ops', undefined],
  ['acme/', undefined],
  ['acme/ops/more', undefined],
  ['', undefined],
])('the group %j is %j', (text, group) => {
  expect(parseGroup(text)).toEqual(group)
})

test('all requests of a login end with its signal', async () => {
  const signal = AbortSignal.abort(new DOMException('The operation timed out', 'TimeoutError'))
  const url = 'http://127.0.0.1:9'
  const app = { clientId: 'id', clientSecret: 'secret', github: url, apiUrl: url }
  const failure = { code: 'failed', message: `Cannot reach ${url}: no answer in time` }
  const code = { code: 'c', verifier: 'v', redirectUri: url }
  await expect(exchangeUserCode(app, code, signal)).rejects.toMatchObject(failure)
  await expect(GitHubUser.identify('token', url, signal)).rejects.toMatchObject(failure)
})

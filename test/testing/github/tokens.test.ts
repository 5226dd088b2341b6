import { describe, expect, test } from 'vitest'
import type { LocalGitHub } from '../../../src/testing/index.ts'
import { jwtOf } from './jwt.ts'
import { addIssue, ask, start } from './scene.ts'

const basic = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`

/** The statuses for three requests: to list deliveries, to redeliver one, to write a comment. */
async function acts(github: LocalGitHub, token: string | undefined) {
  const hook = github.addHook({ repository: 'octo/hello', url: 'http://127.0.0.1:1/hooks' })
  const [delivery] = github.record(hook, [{ event: 'push' }])
  await addIssue(github, 'octo/hello', 1)
  const path = `/repos/octo/hello/hooks/${hook.id}/deliveries`
  const answers = [
    await ask(github, `GET ${path}`, { token }),
    await ask(github, `POST ${path}/${delivery?.id}/attempts`, { token }),
    await ask(github, 'POST /repos/octo/hello/issues/1/comments', { token, body: { body: 'Hi' } }),
  ]
  return answers.map(({ status, json }) => (status < 300 ? status : [status, json.message]))
}

const rejected = [403, 'Resource not accessible by personal access token']
const hidden = [404, 'Not Found']

describe('a token', () => {
  test.each([
    ['that may read hooks', { permissions: { repository_hooks: 'read' } }, [200, rejected, rejected]],
    ['that may write hooks', { permissions: { repository_hooks: 'write' } }, [200, 202, rejected]],
    ['without permissions', { permissions: {} }, [rejected, rejected, rejected]],
    ['with all permissions', {}, [200, 202, 201]],
    ['with a scope to read hooks', { scopes: ['read:repo_hook'] }, [200, hidden, hidden]],
    ['with both scopes of hooks', { scopes: ['admin:repo_hook', 'read:repo_hook'] }, [200, 202, hidden]],
    ['with the scope of repositories', { scopes: ['repo'] }, [200, 202, 201]],
    ['with the scope of public repositories', { scopes: ['public_repo'] }, [200, 202, 201]],
    ['without a scope', { scopes: [] }, [hidden, hidden, hidden]],
  ] as const)('%s can do no more than that', async (_what, options, expected) => {
    const github = await start()
    expect(await acts(github, github.addToken(options))).toEqual(expected)
  })

  test('that is missing causes 404 for the deliveries of a webhook and 401 for a comment', async () => {
    expect(await acts(await start(), undefined)).toEqual([hidden, hidden, [401, 'Requires authentication']])
  })

  test('that is wrong is rejected in every form of the header', async () => {
    const github = await start({ token: 'right' })
    const jwt = jwtOf(github.addApp({ id: 3 }))
    const wrong = [
      'Bearer wrong',
      'token wrong',
      basic('octocat', 'wrong'),
      basic('right', 'wrong'),
      basic('wrong', ''),
    ]
    for (const authorization of [...wrong, 'Basic !', 'Bearer', 'right', `token ${jwt}`, basic('octocat', jwt)]) {
      const { status, json } = await ask(github, 'GET /meta', { headers: { authorization } })
      expect([authorization, status, json.message]).toEqual([authorization, 401, 'Bad credentials'])
    }
  })

  test.each([
    ...['Bearer right', 'bearer right', 'token right', basic('octocat', 'right'), basic('anyone', 'right')],
    ...[
      basic('', 'right'),
      basic('right', ''),
      basic('right', 'x-oauth-basic'),
      basic('octocat', 'right').replace('Basic', 'basic'),
    ],
  ])('is accepted in every form of the header: %s', async (authorization) => {
    const github = await start({ token: 'right' })
    const { status, json } = await ask(github, 'GET /user', { headers: { authorization } })
    expect([status, json.login]).toEqual([200, 'octocat'])
  })

  test('of an installation is accepted as a password', async () => {
    const github = await start()
    const app = github.addApp({ id: 3, installations: [{ id: 5, repositories: ['octo/hello'] }] })
    const { json } = await ask(github, 'POST /app/installations/5/access_tokens', { token: jwtOf(app) })
    const headers = { authorization: basic('x-access-token', json.token) }
    expect(await ask(github, 'GET /installation/repositories', { headers })).toMatchObject({ status: 200 })
  })

  test('belongs to a user, and has the prefix of its kind', async () => {
    const github = await start()
    const classic = github.addToken({ login: 'mona', scopes: ['repo', 'admin:org_hook'] })
    const { json, headers } = await ask(github, 'GET /user', { token: classic })
    expect([json.login, headers.get('x-oauth-scopes')]).toEqual(['mona', 'repo, admin:org_hook'])
    expect(classic).toMatch(/^ghp_\w{36}$/)
    expect(github.addToken()).toMatch(/^github_pat_\w+$/)
    expect(github.addToken({ token: 'my own' })).toBe('my own')
  })

  test('is required for /user, and must be an installation token for /installation/repositories', async () => {
    const github = await start()
    const { json, status } = await ask(github, 'GET /user')
    expect([status, json.message]).toEqual([401, 'Requires authentication'])
    expect(await ask(github, 'GET /installation/repositories')).toMatchObject({ status: 401 })
    const rejection = await ask(github, 'GET /installation/repositories', { token: github.addToken() })
    expect([rejection.status, rejection.json.message]).toEqual([
      403,
      expect.stringContaining('installation access token'),
    ])
  })

  test('gives access to private repositories, which are hidden without a token', async () => {
    const github = await start()
    github.addRepository('octo/secret', { private: true })
    expect(await ask(github, 'GET /repos/octo/secret')).toMatchObject({ status: 404 })
    expect(await ask(github, 'GET /repos/octo/secret', { token: github.addToken() })).toMatchObject({ status: 200 })
  })

  test.each([
    [{ permissions: {} }, 'repository_hooks=write', null],
    [{ scopes: ['read:org'] }, null, 'admin:repo_hook, public_repo, repo, write:repo_hook'],
  ])('gets the requirements of a route in a header: %j', async (options, permissions, scopes) => {
    const github = await start()
    github.addRepository('octo/hello')
    const { headers } = await ask(github, 'POST /repos/octo/hello/hooks', { token: github.addToken(options), body: {} })
    expect(headers.get('x-accepted-github-permissions')).toBe(permissions)
    expect(headers.get('x-accepted-oauth-scopes')).toBe(scopes)
    const read = await ask(github, 'GET /repos/octo/hello', { token: github.addToken(options) })
    expect(read.headers.get('x-accepted-github-permissions')).toBe(permissions && 'metadata=read')
  })

  test.each([
    [['public_repo'], 404, 404],
    [['admin:repo_hook'], 200, 404],
    [['repo'], 200, 200],
  ])(
    'with the scopes %j gets %i for the webhooks and %i for the data of a private repository',
    async (scopes, ...expected) => {
      const github = await start()
      github.addRepository('octo/secret', { private: true })
      const token = github.addToken({ scopes })
      const hooks = await ask(github, 'GET /repos/octo/secret/hooks', { token })
      const data = await ask(github, 'GET /repos/octo/secret', { token })
      expect([hooks.status, data.status]).toEqual(expected)
    },
  )
})

import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { jwtOf } from './jwt.ts'
import { addIssue, ask, botFor, secondAt, sha, start } from './scene.ts'

const minute = 60_000
const seconds = () => Math.floor(Date.now() / 1000)

/** An App with two installations. */
async function installed() {
  const github = await start()
  const app = github.addApp({
    ...{ id: 3, clientId: 'Iv1.0123456789abcdef', slug: 'hello-bot', owner: 'octo' },
    permissions: { metadata: 'read', issues: 'write', statuses: 'read' },
    installations: [
      { id: 5, repositories: ['octo/hello', 'octo/world'] },
      { id: 6, account: 'octo-org' },
    ],
  })
  github.addRepository('octo-org/one', { private: true })
  return { github, app, token: jwtOf(app) }
}

/** The text of a token for an installation. */
async function tokenFor({ github, token }: Awaited<ReturnType<typeof installed>>, id: number, body?: object) {
  const { json } = await ask(github, `POST /app/installations/${id}/access_tokens`, { token, body })
  return json.token as string
}

describe('an App', () => {
  test('created by Octokit authenticates, finds its installations, and writes as each of them', async () => {
    const { github, app } = await installed()
    const bot = botFor(github, app)
    expect((await bot.octokit.request('GET /app')).data).toMatchObject({
      id: 3,
      slug: 'hello-bot',
      installations_count: 2,
    })
    const repositories: string[] = []
    for await (const { repository } of bot.eachRepository.iterator()) repositories.push(repository.full_name)
    expect(repositories).toEqual(['octo/hello', 'octo/world', 'octo-org/one'])
    const found = await bot.octokit.request('GET /repos/{owner}/{repo}/installation', { owner: 'octo', repo: 'world' })
    expect(found.data).toMatchObject({ id: 5, app_slug: 'hello-bot', repository_selection: 'selected' })
    const octokit = await bot.getInstallationOctokit(5)
    await addIssue(github, 'octo/hello', 7)
    const { data } = await octokit.rest.issues.createComment({
      owner: 'octo',
      repo: 'hello',
      issue_number: 7,
      body: 'Hi',
    })
    expect(data).toMatchObject({ body: 'Hi', user: { login: 'hello-bot[bot]', type: 'Bot' } })
    expect(github.requests.at(-1)).toMatchObject({
      ...{ method: 'POST', path: '/repos/octo/hello/issues/7/comments', body: { body: 'Hi' }, status: 201 },
    })
  })

  test('may have its own key, and is identified by its client id', async () => {
    const github = await start()
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    const app = github.addApp({ id: 4, privateKey: pem })
    expect(app.privateKey).toBe(pem)
    const { json } = await ask(github, 'GET /app', { token: jwtOf({ ...app, id: app.clientId }) })
    expect(json).toMatchObject({ id: 4, client_id: app.clientId })
  })

  test('is found by the installation that covers a repository', async () => {
    const { github, token } = await installed()
    github.addRepository('octo/third')
    const installationOf = async (repository: string) => {
      const { status, json } = await ask(github, `GET /repos/${repository}/installation`, { token })
      return status === 200 ? json.id : status
    }
    expect(await installationOf('octo/hello')).toBe(5)
    expect(await installationOf('octo-org/one')).toBe(6)
    expect(await installationOf('octo/third')).toBe(404)
    expect(await ask(github, 'GET /app/installations/7', { token })).toMatchObject({ status: 404 })
  })

  test('cannot have an installation without an account and without a repository', async () => {
    const github = await start()
    expect(() => github.addApp({ id: 3, installations: [{ id: 5 }] })).toThrow(
      new TypeError('An installation must name "account" or "repositories", got neither for 5'),
    )
  })

  test('cannot have an installation with a repository of another account', async () => {
    const github = await start()
    const installations = [{ id: 5, repositories: ['octo/hello', 'acme/shop'] }]
    const message = 'An installation on octo cannot have acme/shop'
    expect(() => github.addApp({ id: 3, installations })).toThrow(new TypeError(message))
  })
})

describe('a JWT', () => {
  test.each([
    ['that has expired', { exp: seconds() - 1 }, /'exp'\) must be a numeric value representing the future time/],
    ['with an expiry that is text', { exp: 'soon' }, /'exp'\) must be a numeric value representing the future time/],
    ['that is valid for more than 10 minutes', { exp: seconds() + 700 }, /'exp'\) is too far in the future/],
    ['from the future', { iat: seconds() + 60 }, /'iat'\) must be an Integer/],
    ['without a start', { iat: undefined }, /'iat'\) must be an Integer/],
  ])('%s is rejected', async (_what, claims, message) => {
    const { github, app } = await installed()
    const { status, json } = await ask(github, 'GET /app', { token: jwtOf(app, claims) })
    expect([status, json.message]).toEqual([401, expect.stringMatching(message)])
  })

  test.each([
    ['signed with another key', (id: number, other: string) => jwtOf({ id, privateKey: other })],
    [
      'signed with another algorithm',
      (id: number, _other: string, own: string) => jwtOf({ id, privateKey: own }, {}, { alg: 'none' }),
    ],
    ['without JSON in its parts', () => 'a.b.c'],
  ])('%s cannot be decoded', async (_what, make) => {
    const { github, app } = await installed()
    const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
    const pem = other.export({ type: 'pkcs1', format: 'pem' }).toString()
    const { status, json } = await ask(github, 'GET /app', { token: make(app.id, pem, app.privateKey) })
    expect([status, json.message]).toEqual([401, 'A JSON web token could not be decoded'])
  })

  test('of an unknown App is rejected: no integration was found', async () => {
    const { github, app } = await installed()
    const { status, json } = await ask(github, 'GET /app', { token: jwtOf({ ...app, id: 99 }) })
    expect([status, json.message]).toEqual([404, 'Integration not found'])
  })

  test("is checked by GitHub's clock, to which Octokit's App adjusts", async () => {
    const { github, app, token } = await installed()
    github.clock.advance(20 * minute)
    expect(await ask(github, 'GET /app', { token })).toMatchObject({ status: 401 })
    const bot = botFor(github, app)
    expect((await bot.octokit.request('GET /app')).status).toBe(200)
    expect(github.requests.map(({ status }) => status)).toEqual([401, 401, 200])
  })

  test.each([
    'GET /app',
    'GET /app/installations',
    'GET /app/hook/deliveries',
    'POST /app/installations/5/access_tokens',
  ])('is required by %s', async (what) => {
    const scene = await installed()
    const { github } = scene
    github.addHook({ app: 3, url: 'http://127.0.0.1:1/hooks' })
    for (const token of [undefined, github.addToken(), await tokenFor(scene, 5)]) {
      const { status, json } = await ask(github, what, { token })
      expect([status, json.message]).toEqual([401, 'A JSON web token could not be decoded'])
    }
  })

  test('does not allow writes', async () => {
    const { github, token } = await installed()
    const { status, json } = await ask(github, `POST /repos/octo/hello/statuses/${sha}`, {
      token,
      body: { state: 'success' },
    })
    expect([status, json.message]).toEqual([403, 'Resource not accessible by integration'])
  })
})

describe('the token of an installation', () => {
  test('is valid for an hour', async () => {
    const scene = await installed()
    const { github } = scene
    const earliest = secondAt(github) + 60 * minute
    const made = await ask(github, 'POST /app/installations/5/access_tokens', { token: scene.token })
    const { token, expires_at, permissions, repository_selection } = made.json
    expect([token, made.status]).toEqual([expect.stringMatching(/^ghs_3_/), 201])
    expect([permissions.issues, repository_selection]).toEqual(['write', 'selected'])
    expect(Date.parse(expires_at)).toBeGreaterThanOrEqual(earliest)
    expect(Date.parse(expires_at)).toBeLessThanOrEqual(secondAt(github) + 60 * minute)
    const look = async () => (await ask(github, 'GET /installation/repositories', { token })).status
    github.clock.advance(59 * minute)
    expect(await look()).toBe(200)
    github.clock.advance(minute)
    expect(await look()).toBe(401)
  })

  test.each([
    ['stateless', {}, undefined],
    ['stateful', { installationTokens: 'stateful' }, undefined],
    ['stateful', { enterprise: true }, undefined],
    ['stateless', { enterprise: true, installationTokens: 'stateless' }, undefined],
    ['stateful', {}, 'disabled'],
    ['stateless', { installationTokens: 'stateful' }, 'enabled'],
    ['stateless', {}, 'true'],
  ] as const)('is %s with the options %j and the header %s', async (format, options, header) => {
    const github = await start(options)
    const app = github.addApp({ id: 3, installations: [{ id: 5, account: 'acme' }] })
    const headers: Record<string, string> = header === undefined ? {} : { 'x-github-stateless-s2s-token': header }
    const made = await ask(github, 'POST /app/installations/5/access_tokens', { token: jwtOf(app), headers })
    const { token } = made.json
    expect(token).toMatch(format === 'stateless' ? /^ghs_3_[\w-]+\.[\w-]+\.[\w-]+$/ : /^ghs_\w{36}$/)
    if (format === 'stateless') expect(Math.abs(token.length - 520)).toBeLessThan(40)
    expect(await ask(github, 'GET /installation/repositories', { token })).toMatchObject({ status: 200 })
    const unknown = await ask(github, 'GET /installation/repositories', { token: `${token}0` })
    expect([unknown.status, unknown.json.message]).toEqual([401, 'Bad credentials'])
  })

  test('has the permissions of the App in its installation', async () => {
    const scene = await installed()
    const { github } = scene
    github.addRepository('octo/third')
    await addIssue(github, 'octo/hello', 1)
    const token = await tokenFor(scene, 5)
    const write = async (path: string, body: object) => (await ask(github, `POST ${path}`, { token, body })).status
    expect(await write('/repos/octo/hello/issues/1/comments', { body: 'Hi' })).toBe(201)
    expect(await write(`/repos/octo/hello/statuses/${sha}`, { state: 'success' })).toBe(403) // the App may only read them
    expect(await write('/repos/octo/third/issues/1/comments', { body: 'Hi' })).toBe(403)
    expect(await ask(github, 'GET /repos/octo/third', { token })).toMatchObject({ status: 200 })
    expect(await ask(github, 'GET /repos/octo-org/one', { token })).toMatchObject({ status: 404 })
    expect(await ask(github, 'GET /repos/octo-org/one', { token: await tokenFor(scene, 6) })).toMatchObject({
      status: 200,
    })
  })

  test('may be restricted to some repositories and permissions', async () => {
    const scene = await installed()
    const { github } = scene
    const token = await tokenFor(scene, 5, { repositories: ['world'], permissions: { issues: 'read' } })
    const { json } = await ask(github, 'GET /installation/repositories', { token })
    expect([json.total_count, json.repositories[0].full_name]).toEqual([1, 'octo/world'])
    const body = { body: 'Hi' }
    for (const repository of ['hello', 'world']) {
      const asked = `POST /repos/octo/${repository}/issues/1/comments`
      expect(await ask(github, asked, { token, body })).toMatchObject({ status: 403 })
    }
  })

  test.each([
    [{ repositories: ['world', 'third'] }, /at least one repository that does not exist/],
    [{ repository_ids: [1] }, /at least one repository that does not exist/],
    [{ repositories: 'world' }, /Validation Failed/],
    [{ permissions: { statuses: 'write' } }, /permissions requested are not granted/],
    [{ permissions: { organization_hooks: 'read' } }, /permissions requested are not granted/],
  ])('cannot have more permissions than the App: %j', async (body, message) => {
    const { github, token } = await installed()
    const { status, json } = await ask(github, 'POST /app/installations/5/access_tokens', { token, body })
    expect([status, json.message]).toEqual([422, expect.stringMatching(message)])
  })
})

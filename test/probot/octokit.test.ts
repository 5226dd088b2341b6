/** The Octokits of an app: their credentials, their classes, and the way of their requests. */
import { Octokit } from 'octokit'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { Pacing } from '../../src/github/pacing.ts'
import { Hooks } from '../../src/index.ts'
import { ProbotOctokit } from '../../src/probot/index.ts'
import { addApp, startGitHub } from '../github/bot-scene.ts'
import { createApp, eventOf, fakeGitHub, privateKey } from './scene.ts'

const tokens = 'POST /app/installations/2/access_tokens'
const withInstallation = (name: string, payload: object = {}) => {
  const event = eventOf(name)
  return { ...event, payload: { ...event.payload, installation: { id: 2 }, ...payload } }
}

/** An app with a private key, whose handler for all events sends `GET /user`. */
function createRequester(answers: Record<string, unknown> = {}) {
  const github = fakeGitHub({ [tokens]: { token: 'installation token' }, 'GET /user': {}, ...answers })
  const { app, recorder } = createApp({
    githubToken: undefined,
    appId: 1,
    privateKey,
    request: { fetch: github.fetch },
  })
  app.onAny(async ({ octokit }) => void (await octokit.request('GET /user')))
  return { app, github, recorder }
}

describe('context.octokit', () => {
  test('authenticates as the installation, whose token all deliveries share', async () => {
    const { app, github } = createRequester()
    await app.receive(withInstallation('push'))
    await app.receive({ ...withInstallation('issues.opened'), id: 'guid-2' })
    expect(github.routes()).toEqual([tokens, 'GET /user', 'GET /user'])
    expect(github.sent.slice(1).map(({ headers }) => headers)).toMatchObject([
      { authorization: 'token installation token', 'x-github-delivery': 'guid-1' },
      { authorization: 'token installation token', 'x-github-delivery': 'guid-2' },
    ])
  })

  test('spaces its requests together with those of the Hooks for the same installation', async () => {
    const turns = vi.spyOn(Pacing.prototype, 'turn')
    onTestFinished(() => turns.mockRestore())
    const { app, github } = createRequester({ 'POST /user/repos': {}, [tokens]: { token: 'installation token' } })
    const octokit = Octokit.defaults({ request: { fetch: github.fetch } })
    const hooks = new Hooks({ app: { id: 1, privateKey }, octokit, logger: false })
    app.on('push', ({ octokit }) => octokit.request('POST /user/repos'))
    await app.receive(withInstallation('push'))
    await (await hooks.octokit({ installation: '2' })).request('POST /user/repos')
    const expected = 'https://api.github.com installation 2'
    expect(turns.mock.calls.map(([id]) => id)).toEqual([expected, expected])
  })

  test('shares the rate limit with the Hooks for the same installation', async () => {
    const github = await startGitHub({ limits: { authorized: 3 } })
    const { id: appId, privateKey } = addApp(github)
    const apiUrl = github.url
    const { app } = createApp({ githubToken: undefined, appId, privateKey, baseUrl: apiUrl })
    const hooks = new Hooks({ app: { id: appId, privateKey }, apiUrl, logger: false })
    const [own, other] = [await app.auth(5), await hooks.octokit({ installation: 5 })]
    for (const octokit of [own, other, own]) await octokit.request('GET /installation/repositories')
    const count = github.requests.length
    for (const octokit of [own, other]) {
      await expect(octokit.request('GET /installation/repositories')).rejects.toThrow(
        /^GET \S+ was not sent for installation \d+: GitHub limits its requests for another \d+ s$/,
      )
    }
    expect(github.requests).toHaveLength(count)
  })

  test('sends no credentials for a delivery without an installation, or after its end', async () => {
    const { app, github } = createRequester()
    await app.receive({ id: 'guid-1', name: 'push', payload: {} })
    await app.receive(withInstallation('installation.deleted', { action: 'deleted' }))
    expect(github.routes()).toEqual(['GET /user', 'GET /user'])
    expect(github.sent.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined])
  })

  test('authenticates with the token of an app without a key', async () => {
    const github = fakeGitHub({ 'GET /user': {} })
    const { app } = createApp({ request: { fetch: github.fetch } })
    app.on('push', async ({ octokit }) => void (await octokit.rest.users.getAuthenticated()))
    await app.receive(withInstallation('push'))
    expect(github.sent[0]?.headers.authorization).toBe('token token')
  })

  test('names the method that a mistyped one means', async () => {
    const { app } = createApp({ request: { fetch: fakeGitHub({}).fetch } })
    const { rest } = (await app.auth()) as never as { rest: Record<string, unknown> }
    expect(() => rest.isues).toThrow('octokit.rest has no "isues". Did you mean "issues"?')
  })

  test('uses the global fetch at the time of the request', async () => {
    const github = fakeGitHub({ [tokens]: { token: 'installation token' }, 'GET /user': {} })
    const { app } = createApp({ githubToken: undefined, appId: 1, privateKey })
    app.on('push', async ({ octokit }) => void (await octokit.request('GET /user')))
    const { fetch } = globalThis
    onTestFinished(() => void (globalThis.fetch = fetch))
    globalThis.fetch = github.fetch
    await app.receive(withInstallation('push'))
    expect(github.routes()).toEqual([tokens, 'GET /user'])
  })

  test('rejects the handlers if GitHub rejects the key of the App', async () => {
    const { app } = createRequester({ [tokens]: new Response('{"message":"nope"}', { status: 401 }) })
    await expect(app.receive(withInstallation('push'))).rejects.toMatchObject({ errors: [{ status: 401 }] })
  })
})

describe('app.auth()', () => {
  test('authenticates as the App, or as one of its installations', async () => {
    const { app, github } = createRequester({ 'GET /app': { id: 1 } })
    const octokit = await app.auth()
    await octokit.rest.apps.getAuthenticated()
    await (await app.auth(2)).request('GET /user')
    expect(github.routes()).toEqual(['GET /app', tokens, 'GET /user'])
    expect(github.sent[0]?.headers.authorization).toMatch(/^bearer ey/)
    expect(await octokit.auth({ type: 'installation', installationId: 2 })).toMatchObject({
      type: 'token',
      token: 'installation token',
    })
    expect(await octokit.auth({ type: 'app' })).toMatchObject({ type: 'app', appId: 1 })
  })

  test('the Octokit of the App creates those of events', async () => {
    const { app, github } = createRequester()
    const octokit = await app.auth()
    const query = { type: 'event-octokit', event: withInstallation('push') }
    const ofEvent = (await octokit.auth(query)) as ProbotOctokit
    await ofEvent.request('GET /user')
    expect(ofEvent).toBeInstanceOf(ProbotOctokit)
    expect(github.sent.at(-1)?.headers.authorization).toBe('token installation token')
  })
})

describe('the option Octokit', () => {
  const quiet = { retry: { enabled: false }, throttle: { enabled: false } }

  test.each([
    ['an object', quiet],
    ['a function', (options: object) => ({ ...options, ...quiet })],
  ])('keeps the defaults of the class, given as %s', async (_, defaults) => {
    const given: Record<string, { enabled?: boolean }>[] = []
    const Octokit = ProbotOctokit.plugin((_octokit, options) => void given.push(options)).defaults(defaults)
    const github = fakeGitHub({ 'GET /user': new Response('{}', { status: 500 }) })
    const { app } = createApp({ Octokit, request: { fetch: github.fetch } })
    const octokit = await app.auth()
    await expect(octokit.request('GET /user')).rejects.toMatchObject({ status: 500 })
    expect(github.sent).toHaveLength(1) // the plugin `retry` would send it again
    expect(given[0]).toMatchObject(quiet)
  })

  test('may be the class of a double that sends no requests', async () => {
    class Double {
      readonly config = { get: vi.fn(async () => ({ config: { name: 'a' }, files: [] })) }
    }
    const { app } = createApp({ Octokit: Double as never })
    const found: unknown[] = []
    app.on('push', async (context) => void found.push(await context.config('settings.yml', {})))
    await app.receive(eventOf('push'))
    expect(found).toEqual([{ name: 'a' }])
  })

  test('takes the address of an Enterprise Server from the options, else from the class', async () => {
    const baseUrl = 'https://github.example/api/v3'
    const { app } = createApp({ Octokit: ProbotOctokit.defaults({ baseUrl }) })
    const { app: other } = createApp({ baseUrl })
    for (const one of [app, other]) {
      expect((await one.auth()).request.endpoint.DEFAULTS.baseUrl).toBe(baseUrl)
    }
  })
})

test('octokit.config.get() in a handler reads the files of the local GitHub', async () => {
  const github = await startGitHub()
  const { id: appId, privateKey } = addApp(github)
  const own = { '.github/bot.yml': "_extends: '.github:base.yml'\ndays: 3\n" }
  github.addRepository('Codertocat/Hello-World', { files: own })
  github.addRepository('Codertocat/.github', {
    files: { '.github/other.yml': 'days: 9', 'base.yml': 'days: 5\nclose: 7' },
  })
  const { app } = createApp({ githubToken: undefined, appId, privateKey, baseUrl: github.url })
  const results: unknown[] = []
  app.on('issues.opened', async (context) => {
    for (const path of ['.github/bot.yml', '.github/other.yml', '.github/none.yml'])
      results.push((await context.octokit.config.get(context.repo({ path, defaults: { label: 'bug' } }))).config)
  })
  await app.receive(withInstallation('issues.opened', { installation: { id: 5 } }))
  expect(results).toEqual([{ label: 'bug', days: 3, close: 7 }, { label: 'bug', days: 9 }, { label: 'bug' }])
})

test('new ProbotOctokit() takes a token, an App or nothing', async () => {
  const github = fakeGitHub({ [tokens]: { token: 'installation token' }, 'GET /user': {} })
  const request = { fetch: github.fetch }
  const app = { appId: 1, privateKey, installationId: 2 }
  for (const auth of ['text', { token: 'member' }, app, undefined]) {
    await new ProbotOctokit({ auth, request }).request('GET /user')
  }
  const requests = github.sent.filter(({ route }) => route === 'GET /user')
  const expected = ['token text', 'token member', 'token installation token', undefined]
  expect(requests.map(({ headers }) => headers.authorization)).toEqual(expected)
})

test('new ProbotOctokit() logs to its option log, and waits for rate limits', async () => {
  const warnings: string[] = []
  const limited = new Response('{"message":"You have exceeded a secondary rate limit"}', {
    status: 403,
    headers: { 'content-type': 'application/json', 'retry-after': '1' },
  })
  const github = fakeGitHub({ 'GET /user': limited })
  const fetch: typeof github.fetch = async (...given) => {
    const response = await github.fetch(...given)
    return github.sent.length === 1 ? response : Response.json({})
  }
  const log = { warn: (text: string) => void warnings.push(text), debug() {}, info() {}, error() {} }
  const { status } = await new ProbotOctokit({ log, request: { fetch } }).request('GET /user')
  expect(status).toBe(200)
  expect(warnings).toEqual(["GET /user reached GitHub's secondary rate limit: it is retried in 1 s"])
})

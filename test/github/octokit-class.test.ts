/** The option `octokit`: the class of all Octokits, with plugins and defaults of the application. */
import { Octokit } from 'octokit'
import { describe, expect, onTestFinished, test } from 'vitest'
import { Hooks, type HooksOptions } from '../../src/index.ts'
import { inject, type LocalGitHub, signedRequest } from '../../src/testing/index.ts'
import { Recorder } from '../recorder.ts'
import { addIssue } from '../testing/github/scene.ts'
import { addApp, attemptsFor, issueOf, secret, startBot, startGitHub } from './bot-scene.ts'

/** A class with a plugin that adds a method. */
const BotOctokit = Octokit.plugin(({ request }) => ({
  greet: (issue: ReturnType<typeof issueOf>) =>
    request('POST /repos/{owner}/{repo}/issues/{issue_number}/comments', { ...issue, body: 'Hello' }),
}))
type BotOctokit = InstanceType<typeof BotOctokit>

const issue = { owner: 'Codertocat', repo: 'Hello-World', issue_number: 1 }

function hooksFor(github: LocalGitHub, options: HooksOptions): Hooks {
  const hooks = new Hooks({ secret, apiUrl: github.url, logger: false, ...options })
  onTestFinished(() => hooks.close())
  return hooks
}

/** A `fetch()` that records the paths of its requests. */
function recordingFetch() {
  const paths: string[] = []
  const recording: typeof fetch = (input, init) => {
    paths.push(new URL(String(input)).pathname)
    return fetch(input, init)
  }
  return { paths, fetch: recording }
}

describe('a plugin of the option "octokit"', () => {
  test('extends the Octokit of a delivery', async () => {
    const github = await startGitHub()
    const app = addApp(github)
    const bot = await startBot({ apiUrl: github.url, app, octokit: BotOctokit }, async (delivery) => {
      const octokit = (await delivery.octokit()) as BotOctokit
      return (await octokit.greet(issueOf(delivery))).data.user?.login
    })
    github.addHook({ app, url: bot.url, secret })
    await github.deliver('issues.opened')
    expect(await attemptsFor(bot.inbox)).toMatchObject([{ outcome: 'succeeded', result: 'hello-bot[bot]' }])
  })

  test('extends the Octokit of hooks.octokit(), with an App and with a token', async () => {
    const github = await startGitHub()
    await addIssue(github, 'Codertocat/Hello-World', 1)
    for (const credentials of [{ app: addApp(github) }, { token: github.addToken() }]) {
      const hooks = hooksFor(github, { ...credentials, octokit: BotOctokit })
      const octokit = (await hooks.octokit({ repository: 'Codertocat/Hello-World' })) as BotOctokit
      expect((await octokit.greet(issue)).status).toBe(201)
    }
  })
})

describe('the defaults of the option "octokit"', () => {
  test('apply to all requests, also to those for tokens and installations', async () => {
    const github = await startGitHub()
    await addIssue(github, 'Codertocat/Hello-World', 1)
    const { paths, fetch } = recordingFetch()
    const octokit = Octokit.defaults({ request: { fetch }, userAgent: 'my-bot/1' })
    const hooks = hooksFor(github, { app: addApp(github), octokit })
    await (await hooks.octokit({ repository: 'Codertocat/Hello-World' })).rest.issues.createComment({
      ...issue,
      body: 'Hello',
    })
    expect(paths).toEqual(github.requests.map((request) => request.path))
    expect(paths).toHaveLength(3)
    for (const { headers } of github.requests) expect(headers['user-agent']).toMatch(/^hookserver\/\S+ my-bot\/1 /)
  })

  test('do not replace the address, the credentials and the logger of the Hooks', async () => {
    const github = await startGitHub()
    const logger = new Recorder()
    const unexpected = () => expect.fail('must not be called')
    const unused = { debug: unexpected, info: unexpected, warn: unexpected, error: unexpected }
    const octokit = Octokit.defaults({
      baseUrl: 'http://127.0.0.1:1',
      auth: 'not-a-token',
      authStrategy: unexpected,
      log: unused,
      request: { log: unused },
    })
    const plan = { status: 200, headers: { deprecation: '@1', sunset: 'soon' }, body: {} }
    for (const credentials of [{ app: addApp(github) }, { token: github.addToken() }]) {
      github.failAt(/World$/, plan)
      const hooks = hooksFor(github, { ...credentials, octokit, logger })
      await (await hooks.octokit({ installation: 5 })).rest.repos.get({ owner: 'Codertocat', repo: 'Hello-World' })
    }
    expect(logger.messages.filter((message) => /is deprecated/.test(message))).toHaveLength(2)
  })
})

test('mounts with different classes share no Octokit', async () => {
  const github = await startGitHub()
  const hooks = hooksFor(github, { token: github.addToken(), validateIp: false })
  hooks.hook('push', async (_data, _guid, delivery) => String('greet' in (await delivery.octokit())))
  for (const [octokit, extended] of [[BotOctokit, 'true'] as const, [Octokit, 'false'] as const]) {
    const reply = await inject(hooks, signedRequest('push', { secret }), { octokit })
    expect(await reply.text()).toBe(extended)
  }
})

test.each([
  ['an instance', new Octokit()],
  ['a name', 'Octokit'],
  ['a function', () => {}],
])('the option "octokit" cannot be %s, and the error does not show the value', (_what, octokit) => {
  expect(() => new Hooks({ secret, octokit: octokit as never })).toThrow(
    /^Option "octokit" must be a class, such as Octokit\.plugin\(…\), and not an instance of it$/,
  )
})

/** `hooks.octokit()` and `hooks.installations()`: calls to GitHub's API that belong to no delivery. */

import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { Hooks, type HooksOptions, type OctokitTarget } from '../../src/index.ts'
import { overrideOptions } from '../../src/internals.ts'
import type { LocalGitHub } from '../../src/testing/index.ts'
import { Recorder } from '../recorder.ts'
import { addApp, attemptsFor, requestsTo, secret, startBot, startGitHub } from './bot-scene.ts'

const hour = 60 * 60 * 1000
const repository = { owner: 'Codertocat', repo: 'Hello-World' }
const path = '/repos/Codertocat/Hello-World'
const lookup = `GET ${path}/installation`

function hooksFor(github: LocalGitHub, options: HooksOptions): Hooks {
  const hooks = new Hooks({ secret, apiUrl: github.url, logger: false, ...options })
  onTestFinished(() => hooks.close())
  return hooks
}

/** An App with an installation on each kind of target. */
async function startApp(options: HooksOptions = {}, known: { private?: boolean } = {}) {
  const github = await startGitHub()
  github.addRepository('Codertocat/Hello-World', known)
  const installations = [
    { id: 5, repositories: ['Codertocat/Hello-World'] },
    { id: 6, account: 'acme' },
    { id: 7, repositories: ['octo/other'] },
  ]
  const app = github.addApp({ id: 3, slug: 'hello-bot', installations })
  return { github, app, hooks: hooksFor(github, { app, ...options }) }
}

const failure = async (promise: Promise<unknown>): Promise<Error & { status?: number }> =>
  promise.then(
    () => expect.fail('must reject'),
    (error) => error,
  )

describe('hooks.octokit()', () => {
  test.each<[OctokitTarget, string, string | undefined]>([
    [{ installation: 5 }, '5', undefined],
    [{ installation: '5' }, '5', undefined],
    [{ repository: 'Codertocat/Hello-World' }, '5', `${path}/installation`],
    [{ organization: 'acme' }, '6', '/orgs/acme/installation'],
    [{ user: 'octo' }, '7', '/users/octo/installation'],
  ])('with an App authenticates as the installation of %o', async (target, id, asked) => {
    const { github, hooks } = await startApp()
    const octokit = await hooks.octokit(target)
    expect(await octokit.auth()).toMatchObject({ type: 'token', installationId: id })
    const token = `POST /app/installations/${id}/access_tokens 201`
    expect(requestsTo(github)).toEqual(asked === undefined ? [token] : [`GET ${asked} 200`, token])
  })

  test('with only a token authenticates with the token', async () => {
    const github = await startGitHub()
    const hooks = hooksFor(github, { token: github.addToken({ login: 'mona' }) })
    for (const target of [{ installation: 5 }, { repository: 'octo/hello' }]) {
      const octokit = await hooks.octokit(target)
      expect((await octokit.rest.users.getAuthenticated()).data.login).toBe('mona')
    }
    expect(requestsTo(github)).toEqual(['GET /user 200', 'GET /user 200'])
  })

  test('shares tokens with the deliveries, and works in a handler', async () => {
    const github = await startGitHub()
    const app = addApp(github)
    const kit: { hooks?: Hooks } = {}
    const bot = await startBot({ apiUrl: github.url, app }, async (delivery) => {
      await (await delivery.octokit()).rest.repos.get(repository)
      const octokit = await kit.hooks?.octokit({ repository: 'Codertocat/Hello-World' })
      return (await octokit?.rest.repos.get(repository))?.status
    })
    kit.hooks = bot.hooks
    github.addHook({ app, url: bot.url, secret })
    await github.deliver('issues.opened')
    expect(await attemptsFor(bot.inbox)).toMatchObject([{ result: '200' }])
    const tokens = 'POST /app/installations/5/access_tokens 201'
    expect(requestsTo(github)).toEqual([tokens, `GET ${path} 200`, `${lookup} 200`, `GET ${path} 200`])
  })

  test('uses the credentials with which a server overrides those of the Hooks', async () => {
    const github = await startGitHub()
    const hooks = new Hooks({ secret, validateIp: false, logger: false })
    overrideOptions(hooks, { apiUrl: github.url, token: github.addToken({ login: 'mona' }) })
    const octokit = await hooks.octokit({ repository: 'octo/hello' })
    expect((await octokit.rest.users.getAuthenticated()).data.login).toBe('mona')
  })

  test('logs to the option "logger"', async () => {
    const logger = new Recorder()
    const { hooks } = await startApp({ logger })
    await (await hooks.octokit({ installation: 5 })).rest.repos.get(repository)
    expect(logger.lines).toContainEqual({ level: 'debug', fields: { status: 200 }, message: `GET ${path}` })
  })
})

describe('hooks.octokit() rejects', () => {
  test('without credentials, naming both options', async () => {
    const github = await startGitHub()
    const { message } = await failure(hooksFor(github, {}).octokit({ repository: 'octo/hello' }))
    expect(message).toMatch(/^hooks\.octokit\(\) needs credentials: .*"app" \(.*\) or the option "token"/)
    expect(github.requests).toEqual([])
  })

  test.each<[OctokitTarget, string]>([
    [{ repository: 'Octo/third' }, 'Octo/third'],
    [{ organization: 'mona-org' }, 'mona-org'],
    [{ organization: 'octo' }, 'octo'],
    [{ user: 'acme' }, 'acme'],
  ])('where the App is not installed, saying where to install it: %o', async (target, where) => {
    const { github, hooks } = await startApp()
    github.addRepository('octo/third')
    const error = await failure(hooks.octokit(target))
    expect(error.message).toBe(
      `The App hello-bot is not installed on ${where}: install it at ${github.url}/apps/hello-bot/installations/new, or check the spelling of the name`,
    )
    expect(error.status).toBe(404)
  })

  test('where the installation is suspended', async () => {
    const { github, hooks } = await startApp()
    const url = 'https://github.com/settings/installations/5'
    const suspended = { id: 5, suspended_at: '2026-01-31T12:00:00Z', html_url: url }
    github.failAt(/installation$/, { status: 200, body: suspended })
    const { message } = await failure(hooks.octokit({ repository: 'octo/hello' }))
    expect(message).toBe(`The installation of the App on octo/hello is suspended: see ${url}`)
  })

  test('an App that GitHub does not know, with the message of GitHub', async () => {
    const { app, hooks } = await startApp()
    const github = await startGitHub()
    const unknown = hooksFor(github, { app: { id: 99, privateKey: app.privateKey } })
    expect((await failure(unknown.octokit({ repository: 'octo/hello' }))).message).toMatch(/^Integration not found/)
    await hooks.close()
  })

  test.each([
    [undefined, /the target must be an object with one of "installation", "repository", "organization", "user"/],
    [{}, /the target must be an object with one of/],
    [{ repository: 'octo/hello', installation: 5 }, /the target must be an object with one of/],
    [{ constructor: 'octo' }, /the target must be an object with one of/],
    [{ installation: '05' }, /"installation" must be the id of an installation, got "05"/],
    [{ repository: 'octo' }, /"repository" must be "owner\/name", got "octo"/],
    [{ repository: 'octo/hello#1' }, /"repository" must be "owner\/name"/],
    [{ repository: 'octo/../orgs' }, /"repository" must be "owner\/name"/],
    [{ organization: 'octo/hello' }, /"organization" must be the login of an organization/],
    [{ user: '' }, /"user" must be the login of a user/],
  ])('the target %o', async (target, message) => {
    const { github, hooks } = await startApp()
    const error = await failure(hooks.octokit(target as OctokitTarget))
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toMatch(message)
    expect(github.requests).toEqual([])
  })
})

describe('an installation', () => {
  afterEach(() => vi.useRealTimers())

  test('is looked up once for concurrent calls, and again after an hour', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const { github, hooks } = await startApp()
    const ask = () => hooks.octokit({ repository: 'Codertocat/Hello-World' })
    await Promise.all([ask(), ask(), hooks.octokit({ repository: 'codertocat/hello-world' })])
    vi.setSystemTime(Date.now() + hour - 1)
    await ask()
    expect(requestsTo(github)).toEqual([`${lookup} 200`])
    vi.setSystemTime(Date.now() + 1)
    github.clock.set(Date.now())
    await ask()
    expect(requestsTo(github)).toEqual([`${lookup} 200`, `${lookup} 200`])
  })

  test('that was not found is looked up by the next call', async () => {
    const { github, hooks } = await startApp()
    github.failAt(/installation$/, { status: 404, body: { message: 'Not Found' } })
    await failure(hooks.octokit({ repository: 'Codertocat/Hello-World' }))
    await hooks.octokit({ repository: 'Codertocat/Hello-World' })
    expect(requestsTo(github)).toEqual([`${lookup} 404`, 'GET /app 200', `${lookup} 200`])
  })

  test('is looked up again if GitHub no longer knows it, because the App was installed again', async () => {
    const { github, hooks } = await startApp()
    github.failAt(/installation$/, { status: 200, body: { id: 1, suspended_at: null } })
    const octokit = await hooks.octokit({ repository: 'Codertocat/Hello-World' })
    expect(await octokit.auth()).toMatchObject({ installationId: '5' })
    expect((await octokit.rest.repos.get(repository)).status).toBe(200)
    await hooks.octokit({ repository: 'Codertocat/Hello-World' })
    expect(requestsTo(github)).toEqual([
      ...[`${lookup} 200`, 'POST /app/installations/1/access_tokens 404', `${lookup} 200`],
      ...['POST /app/installations/5/access_tokens 201', `GET ${path} 200`],
    ])
  })

  test('is looked up again if GitHub rejects its token, because the App was installed again', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const { github, hooks } = await startApp()
    github.failAt(/installation$/, { status: 200, body: { id: 6, suspended_at: null } })
    const octokit = await hooks.octokit({ repository: 'Codertocat/Hello-World' })
    await octokit.auth()
    vi.setSystemTime(Date.now() + 60_000) // GitHub must know the token by now, so a 401 is final
    github.clock.set(Date.now())
    github.failAt(/World$/, { status: 401, body: { message: 'Bad credentials' } })
    github.failAt(/6\/access_tokens/, { status: 404, body: { message: 'Not Found' } })
    expect((await octokit.rest.repos.get(repository)).status).toBe(200)
    expect(requestsTo(github).slice(2)).toEqual([
      ...[`GET ${path} 401`, 'POST /app/installations/6/access_tokens 404', `${lookup} 200`],
      ...['POST /app/installations/5/access_tokens 201', `GET ${path} 200`],
    ])
  })

  describe('of a repository that got another owner', () => {
    const comment = '/repos/Codertocat/Hello-World/issues/1/comments'

    async function startCommenter(isPrivate: boolean) {
      vi.useFakeTimers({ toFake: ['Date'] })
      const { github, hooks } = await startApp({}, { private: isPrivate })
      await github.deliver('issues.opened', {
        issue: { number: 1 },
        repository: { full_name: 'Codertocat/Hello-World' },
      })
      const octokit = await hooks.octokit({ repository: 'Codertocat/Hello-World' })
      const write = () => octokit.rest.issues.createComment({ ...repository, issue_number: 1, body: 'Hi' })
      await write()
      github.requests.length = 0
      const wait = (ms: number) => {
        vi.setSystemTime(Date.now() + ms)
        github.clock.set(Date.now())
      }
      return { github, write, wait }
    }

    test.each([
      ['private', 404],
      ['public', 403],
    ])('is looked up again after GitHub denies a request, if the repository is %s', async (kind, status) => {
      const { github, write, wait } = await startCommenter(kind === 'private')
      github.renameRepository('Codertocat/Hello-World', 'acme/Hello-World')
      wait(60_000)
      expect((await write()).status).toBe(201)
      expect(requestsTo(github).filter((one) => !one.includes(' 30'))).toEqual([
        ...[expect.stringMatching(`^POST .*/issues/1/comments ${status}$`), expect.stringMatching(/installation 200$/)],
        ...['POST /app/installations/6/access_tokens 201', expect.stringMatching(/^POST .*comments 201$/)],
      ])
    })

    test('is not looked up again for a minute, nor twice for one request', async () => {
      const { github, write, wait } = await startCommenter(true)
      const deny = () => github.failAt(/^POST .*comments$/, { status: 404, body: { message: 'Not Found' } })
      wait(59_999)
      deny()
      await expect(write()).rejects.toThrow('Not Found')
      expect(requestsTo(github)).toEqual([`POST ${comment} 404`])
      wait(1)
      deny()
      await expect(write()).rejects.toThrow('Not Found')
      expect(requestsTo(github).slice(1)).toEqual([`POST ${comment} 404`, `${lookup} 200`])
    })

    test('rejects with the error of GitHub, and then names the missing installation', async () => {
      const { github, write, wait } = await startCommenter(true)
      github.renameRepository('Codertocat/Hello-World', 'mona-org/Hello-World')
      wait(60_000)
      await expect(write()).rejects.toThrow('Not Found')
      await expect(write()).rejects.toThrow('The App hello-bot is not installed on Codertocat/Hello-World')
    })
  })

  test("gets a new token if GitHub rejects the old one, even after this machine's clock was set back", async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const { github, hooks } = await startApp()
    const octokit = await hooks.octokit({ installation: 5 })
    await octokit.auth()
    // Only 2 s, because Octokit's throttling makes the next request wait for as long as the clock was set back.
    vi.setSystemTime(Date.now() - 2000)
    github.failAt(/World$/, { status: 401, body: { message: 'Bad credentials' } })
    expect((await octokit.rest.repos.get(repository)).status).toBe(200)
    const newToken = 'POST /app/installations/5/access_tokens 201'
    expect(requestsTo(github)).toEqual([newToken, `GET ${path} 401`, newToken, `GET ${path} 200`])
  })

  test('that GitHub does not know is named', async () => {
    const { hooks } = await startApp()
    const octokit = await hooks.octokit({ installation: 99 })
    const error = await failure(octokit.rest.repos.get(repository))
    expect(error.message).toMatch(
      /^The App hello-bot does not have the installation 99, .*installations\(\) lists those that it has$/,
    )
  })
})

describe('hooks.installations()', () => {
  test('lists all installations, a page of 100 at a time', async () => {
    const github = await startGitHub()
    const installations = Array.from({ length: 101 }, (_, index) => ({ id: index + 1, account: `org-${index}` }))
    const app = github.addApp({ id: 3, installations })
    const ids: string[] = []
    for await (const { id, account } of hooksFor(github, { app }).installations()) {
      if (id === '101') expect(account?.login).toBe('org-100')
      ids.push(id)
    }
    expect(ids).toEqual(installations.map(({ id }) => String(id)))
    const page = (number: number) => `GET /app/installations?per_page=100&page=${number} 200`
    expect(requestsTo(github)).toEqual([page(1), page(2)])
  })

  test('needs an App', async () => {
    const github = await startGitHub()
    const iterator = hooksFor(github, { token: 't' }).installations()[Symbol.asyncIterator]()
    expect((await failure(iterator.next())).message).toMatch(/the option "app"/)
  })
})

/** Installation tokens: how often they are created, and for how long they are used. */
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import type { Permissions } from '../../src/github/event-permissions.ts'
import { type Delivery, Hooks } from '../../src/index.ts'
import type { LocalGitHub } from '../../src/testing/index.ts'
import { addIssue } from '../testing/github/scene.ts'
import { addApp, attemptsFor, requestsTo, secret, startBot, startGitHub } from './bot-scene.ts'

const minute = 60_000
const repository = '/repos/Codertocat/Hello-World'
const tokens = '/app/installations/5/access_tokens'

const readRepository = async (delivery: Delivery) => {
  const octokit = await delivery.octokit()
  return (await octokit.rest.repos.get({ owner: 'Codertocat', repo: 'Hello-World' })).status
}

async function startReader(github: LocalGitHub) {
  const app = addApp(github)
  const bot = await startBot({ apiUrl: github.url, app }, readRepository, { attempts: 1 })
  github.addHook({ app, url: bot.url, secret })
  let id = 0
  /** Sends a delivery. @returns its attempt. */
  const deliver = async () => {
    await github.deliver('issues.opened')
    return (await attemptsFor(bot.inbox, ++id))[0]
  }
  return { ...bot, deliver }
}

/** Advances the clocks of the client and of GitHub. */
function advance(github: LocalGitHub, ms: number): void {
  vi.setSystemTime(Date.now() + ms)
  github.clock.set(Date.now())
}

describe('an installation token', () => {
  afterEach(() => vi.useRealTimers())

  test('is created once for 20 concurrent deliveries', async () => {
    const github = await startGitHub()
    const app = addApp(github)
    const all = Promise.withResolvers<void>()
    let waiting = 0
    const bot = await startBot({ apiUrl: github.url, app }, (delivery) => {
      if (++waiting === 20) all.resolve()
      return all.promise.then(() => readRepository(delivery))
    })
    github.addHook({ app, url: bot.url, secret })
    await Promise.all(Array.from({ length: 20 }, () => github.deliver('issues.opened')))
    for (let id = 1; id <= 20; id++) expect(await attemptsFor(bot.inbox, id)).toMatchObject([{ result: '200' }])
    const requests = requestsTo(github)
    expect(requests.filter((one) => one === `POST ${tokens} 201`)).toHaveLength(1)
    expect(requests.filter((one) => one === `GET ${repository} 200`)).toHaveLength(20)
  })

  describe('that lacks a permission', () => {
    /** The installation accepts another permission, which the tokens that it has do not get. */
    const accept = (github: LocalGitHub, permissions: Permissions) =>
      Object.assign(github.apps[0] as object, { permissions })

    async function startCommenter() {
      vi.useFakeTimers({ toFake: ['Date'] })
      const github = await startGitHub()
      const app = addApp(github)
      await addIssue(github, 'Codertocat/Hello-World', 1)
      accept(github, { issues: 'read' })
      const hooks = new Hooks({ apiUrl: github.url, app, logger: false })
      onTestFinished(() => hooks.close({ grace: 0 }))
      const octokit = await hooks.octokit({ installation: 5 })
      const issue = { owner: 'Codertocat', repo: 'Hello-World', issue_number: 1 }
      const comment = () => octokit.rest.issues.createComment({ ...issue, body: 'Hi' })
      await expect(comment()).rejects.toThrow('The App needs the permission issues=write')
      github.requests.length = 0
      return { github, comment }
    }

    test('is replaced, because the installation may have accepted the permission', async () => {
      const { github, comment } = await startCommenter()
      accept(github, { issues: 'write' })
      advance(github, minute)
      expect((await comment()).status).toBe(201)
      const post = `POST ${repository}/issues/1/comments`
      expect(requestsTo(github)).toEqual([`${post} 403`, `POST ${tokens} 201`, `${post} 201`])
    })

    test('is replaced once a minute at most, and the request is not repeated without the permission', async () => {
      const { github, comment } = await startCommenter()
      const post = `POST ${repository}/issues/1/comments 403`
      await expect(comment()).rejects.toThrow('issues=write')
      expect(requestsTo(github)).toEqual([post])
      advance(github, minute)
      await expect(comment()).rejects.toThrow('issues=write')
      await expect(comment()).rejects.toThrow('issues=write')
      expect(requestsTo(github)).toEqual([post, post, `POST ${tokens} 201`, post])
    })

    test('is not replaced if it has the permission, and lacks the repository', async () => {
      const { github, comment } = await startCommenter()
      accept(github, { issues: 'write' })
      advance(github, minute)
      github.renameRepository('Codertocat/Hello-World', 'octo/moved')
      await expect(comment()).rejects.toThrow('its installation may lack Codertocat/Hello-World')
      advance(github, minute)
      github.requests.length = 0
      await expect(comment()).rejects.toThrow('its installation may lack Codertocat/Hello-World')
      expect(requestsTo(github).filter((one) => one.includes(tokens))).toEqual([])
    })
  })

  test('is used until a minute before it expires', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const github = await startGitHub()
    const { deliver } = await startReader(github)
    await deliver()
    advance(github, 58 * minute)
    await deliver()
    expect(requestsTo(github)).toEqual([`POST ${tokens} 201`, `GET ${repository} 200`, `GET ${repository} 200`])
    advance(github, 1 * minute)
    expect(await deliver()).toMatchObject({ outcome: 'succeeded' })
    expect(requestsTo(github).slice(3)).toEqual([`POST ${tokens} 201`, `GET ${repository} 200`])
  })

  test('is used until a minute before it expires, even if our clock is half an hour behind', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const github = await startGitHub()
    github.clock.advance(30 * minute) // after this, both clocks run at the same speed
    const { deliver } = await startReader(github)
    expect(await deliver()).toMatchObject({ outcome: 'succeeded' })
    vi.setSystemTime(Date.now() + 58 * minute)
    expect(await deliver()).toMatchObject({ outcome: 'succeeded' })
    const requests = [`POST ${tokens} 401`, `POST ${tokens} 201`, `GET ${repository} 200`] // the first JWT has expired by GitHub's clock
    expect(requestsTo(github)).toEqual([...requests, `GET ${repository} 200`])
    vi.setSystemTime(Date.now() + 1 * minute)
    expect(await deliver()).toMatchObject({ outcome: 'succeeded' })
    expect(requestsTo(github).slice(4)).toEqual(requests)
  })

  test('that GitHub rejects before it expires is replaced, because it may have been revoked', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const github = await startGitHub()
    const { deliver } = await startReader(github)
    await deliver()
    advance(github, minute)
    github.failAt(/^GET \/repos/, { status: 401, body: { message: 'Bad credentials' } })
    expect(await deliver()).toMatchObject({ outcome: 'succeeded' })
    expect(requestsTo(github).slice(2)).toEqual([
      `GET ${repository} 401`,
      `POST ${tokens} 201`,
      `GET ${repository} 200`,
    ])
    const shown = github.requests.filter(({ method }) => method === 'GET').map(({ headers }) => headers.authorization)
    expect(new Set(shown).size).toBe(2)
  })

  test('that GitHub rejects right after its creation is sent again', async () => {
    const github = await startGitHub()
    const { deliver } = await startReader(github)
    github.failAt(/^GET \/repos/, { status: 401, body: { message: 'Bad credentials' } })
    expect(await deliver()).toMatchObject({ outcome: 'succeeded' })
    expect(requestsTo(github)).toEqual([`POST ${tokens} 201`, `GET ${repository} 401`, `GET ${repository} 200`])
  })

  test('that GitHub rejects three times fails the attempt', async () => {
    const github = await startGitHub()
    const { deliver } = await startReader(github)
    const rejected = { status: 401, body: { message: 'Bad credentials' } }
    github.failAt(/^GET \/repos/, rejected, rejected, rejected, rejected)
    expect(await deliver()).toMatchObject({ outcome: 'dead', error: expect.stringMatching(/^HttpError: Bad creden/) })
    expect(requestsTo(github).filter((one) => one === `GET ${repository} 401`)).toHaveLength(3)
  })

  test('that could not be created is requested again by the next delivery', async () => {
    const github = await startGitHub()
    const { deliver } = await startReader(github)
    github.failAt(/access_tokens/, { status: 403, body: { message: 'This installation has been suspended' } })
    expect(await deliver()).toMatchObject({
      error: expect.stringMatching(/^HttpError: This installation has been susp/),
    })
    expect(await deliver()).toMatchObject({ outcome: 'succeeded' })
  })

  test('belongs to the installation of the delivery', async () => {
    const github = await startGitHub()
    const app = addApp(github)
    const bot = await startBot({ apiUrl: github.url, app }, async (delivery) => {
      const octokit = await delivery.octokit()
      return (await octokit.rest.apps.listReposAccessibleToInstallation()).data.repositories.map((one) => one.full_name)
    })
    github.addHook({ app, url: bot.url, secret })
    const payload = (id: number) => ({ action: 'created', installation: { id } })
    await github.deliver('installation', payload(5))
    await github.deliver('installation', payload(6))
    expect(await attemptsFor(bot.inbox, 1)).toMatchObject([{ result: '["Codertocat/Hello-World"]' }])
    expect(await attemptsFor(bot.inbox, 2)).toMatchObject([{ result: '["octo/other"]' }])
  })
})

/** The tokens of installations: how often they are asked for, and until when they are used. */
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { Delivery } from '../../src/index.ts'
import type { LocalGitHub } from '../../src/testing/index.ts'
import { addApp, askedOf, attemptsFor, secret, startBot, startGitHub } from './bot-scene.ts'

const minute = 60_000
const repository = '/repos/Codertocat/Hello-World'
const tokens = '/app/installations/5/access_tokens'

const look = async (delivery: Delivery) => {
  const octokit = await delivery.octokit()
  return (await octokit.rest.repos.get({ owner: 'Codertocat', repo: 'Hello-World' })).status
}

async function startLooking(github: LocalGitHub) {
  const app = addApp(github)
  const bot = await startBot({ apiUrl: github.url, app }, look, { attempts: 1 })
  github.addHook({ app, url: bot.url, secret })
  let id = 0
  /** Delivers one, and gives how its attempt ended. */
  const deliver = async () => {
    await github.deliver('issues.opened')
    return (await attemptsFor(bot.inbox, ++id))[0]
  }
  return { ...bot, deliver }
}

/** Lets time pass on both sides. */
function advance(github: LocalGitHub, ms: number): void {
  vi.setSystemTime(Date.now() + ms)
  github.clock.set(Date.now())
}

describe('the token of an installation', () => {
  afterEach(() => vi.useRealTimers())

  test('is asked for once by 20 deliveries at a time', async () => {
    const github = await startGitHub()
    const app = addApp(github)
    const all = Promise.withResolvers<void>()
    let waiting = 0
    const bot = await startBot({ apiUrl: github.url, app }, (delivery) => {
      if (++waiting === 20) all.resolve()
      return all.promise.then(() => look(delivery))
    })
    github.addHook({ app, url: bot.url, secret })
    await Promise.all(Array.from({ length: 20 }, () => github.deliver('issues.opened')))
    for (let id = 1; id <= 20; id++) expect(await attemptsFor(bot.inbox, id)).toMatchObject([{ result: '200' }])
    const asked = askedOf(github)
    expect(asked.filter((one) => one === `POST ${tokens} 201`)).toHaveLength(1)
    expect(asked.filter((one) => one === `GET ${repository} 200`)).toHaveLength(20)
  })

  test('is used until a minute before it expires', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const github = await startGitHub()
    const { deliver } = await startLooking(github)
    await deliver()
    advance(github, 58 * minute)
    await deliver()
    expect(askedOf(github)).toEqual([`POST ${tokens} 201`, `GET ${repository} 200`, `GET ${repository} 200`])
    advance(github, 1 * minute)
    expect(await deliver()).toMatchObject({ outcome: 'succeeded' })
    expect(askedOf(github).slice(3)).toEqual([`POST ${tokens} 201`, `GET ${repository} 200`])
  })

  test('lasts as long by a clock that is half an hour behind', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const github = await startGitHub()
    github.clock.advance(30 * minute) // and goes on beside that of the machine
    const { deliver } = await startLooking(github)
    expect(await deliver()).toMatchObject({ outcome: 'succeeded' })
    vi.setSystemTime(Date.now() + 58 * minute)
    expect(await deliver()).toMatchObject({ outcome: 'succeeded' })
    const asked = [`POST ${tokens} 401`, `POST ${tokens} 201`, `GET ${repository} 200`] // what it signs first is over
    expect(askedOf(github)).toEqual([...asked, `GET ${repository} 200`])
    vi.setSystemTime(Date.now() + 1 * minute)
    expect(await deliver()).toMatchObject({ outcome: 'succeeded' })
    expect(askedOf(github).slice(4)).toEqual(asked)
  })

  test('that is refused although it should be good is replaced, for it may have been revoked', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const github = await startGitHub()
    const { deliver } = await startLooking(github)
    await deliver()
    advance(github, minute)
    github.failAt(/^GET \/repos/, { status: 401, body: { message: 'Bad credentials' } })
    expect(await deliver()).toMatchObject({ outcome: 'succeeded' })
    expect(askedOf(github).slice(2)).toEqual([`GET ${repository} 401`, `POST ${tokens} 201`, `GET ${repository} 200`])
    const shown = github.requests.filter(({ method }) => method === 'GET').map(({ headers }) => headers.authorization)
    expect(new Set(shown).size).toBe(2)
  })

  test('that is refused when it is new is shown again, for not all of GitHub may know it yet', async () => {
    const github = await startGitHub()
    const { deliver } = await startLooking(github)
    github.failAt(/^GET \/repos/, { status: 401, body: { message: 'Bad credentials' } })
    expect(await deliver()).toMatchObject({ outcome: 'succeeded' })
    expect(askedOf(github)).toEqual([`POST ${tokens} 201`, `GET ${repository} 401`, `GET ${repository} 200`])
  })

  test('that is refused again and again fails the attempt', async () => {
    const github = await startGitHub()
    const { deliver } = await startLooking(github)
    const refused = { status: 401, body: { message: 'Bad credentials' } }
    github.failAt(/^GET \/repos/, refused, refused, refused, refused)
    expect(await deliver()).toMatchObject({ outcome: 'dead', error: expect.stringMatching(/^HttpError: Bad creden/) })
    expect(askedOf(github).filter((one) => one === `GET ${repository} 401`)).toHaveLength(3)
  })

  test('that could not be had is asked for again by the next delivery', async () => {
    const github = await startGitHub()
    const { deliver } = await startLooking(github)
    github.failAt(/access_tokens/, { status: 403, body: { message: 'This installation has been suspended' } })
    expect(await deliver()).toMatchObject({
      error: expect.stringMatching(/^HttpError: This installation has been susp/),
    })
    expect(await deliver()).toMatchObject({ outcome: 'succeeded' })
  })

  test('is that of its own installation', async () => {
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

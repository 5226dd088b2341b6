import { setImmediate, setTimeout } from 'node:timers/promises'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { GitHubClient } from '../../src/github/github-client.ts'
import { describeError } from '../../src/github/requester.ts'
import type { Target } from '../../src/github/target.ts'
import { childLogger } from '../../src/telemetry/logger.ts'
import type { LocalGitHub } from '../../src/testing/index.ts'
import { Recorder } from '../recorder.ts'
import { addApp, requestsTo, startGitHub } from './bot-scene.ts'

const logger = childLogger(new Recorder())

function clientOf(github: LocalGitHub): GitHubClient {
  return new GitHubClient({ apiUrl: github.url, token: github.addToken(), app: addApp(github), logger })
}

describe('a requester', () => {
  const repository = { repository: 'Codertocat/Hello-World' }

  /**
   * Each row has a target, and the path of a request that GitHub receives when the test calls `requester.request()`.
   * For a repository, the requester first finds the installation of the App and creates a token, with one request each.
   */
  const requests: [target: Target, where: RegExp][] = [
    ['app', /config$/],
    [repository, /hooks$/],
    [repository, /installation$/],
    [repository, /access_tokens$/],
  ]

  const requesterFor = async (github: LocalGitHub, target: Target) => {
    const app = addApp(github)
    github.addHook({ app, url: 'http://127.0.0.1:1/hooks' })
    return new GitHubClient({ apiUrl: github.url, token: undefined, app, logger }).requesterFor(target)
  }

  const pathOf = (target: Target) => (target === 'app' ? '/app/hook/config' : '/repos/Codertocat/Hello-World/hooks')

  test.each(requests)('of %j leaves a rate limit of %s to its caller', async (target, where) => {
    const github = await startGitHub()
    const requester = await requesterFor(github, target)
    github.failAt(where, { status: 429, headers: { 'retry-after': '30' }, body: { message: 'secondary rate limit' } })
    const failed = requester.request(`GET ${pathOf(target)}`)
    await expect(failed).rejects.toMatchObject({ status: 429, response: { headers: { 'retry-after': '30' } } })
    expect(requestsTo(github).filter((one) => one.endsWith(' 429'))).toHaveLength(1)
    expect((await requester.request(`GET ${pathOf(target)}`)).text).toMatch(/^[[{]/)
  })

  test.each(requests)('of %j ends a request to %s with its own signal', async (target, where) => {
    const github = await startGitHub()
    const requester = await requesterFor(github, target)
    github.failAt(where, 'hang')
    const controller = new AbortController()
    const ended = requester.request(`GET ${pathOf(target)}`, { request: { signal: controller.signal } })
    while (!github.requests.some(({ path }) => where.test(path))) await setImmediate()
    const reason = new Error('The sweep was stopped')
    controller.abort(reason)
    await expect(ended).rejects.toBe(reason)
  })

  test('names the repository on which the App is not installed', async () => {
    const github = await startGitHub()
    github.addRepository('acme/shop')
    const requester = await requesterFor(github, { repository: 'acme/shop' })
    const failed = requester.request('GET /repos/acme/shop/hooks')
    const error = await failed.catch((thrown: unknown) => thrown)
    expect(describeError(error)).toContain('The App hello-bot is not installed on acme/shop: install it at ')
  })
})

describe('an Octokit', () => {
  test('of the App itself reads the deliveries of its webhook', async () => {
    const github = await startGitHub()
    const client = clientOf(github)
    const hook = github.addHook({ app: 3, url: 'http://127.0.0.1:1/hooks' })
    github.record(hook, [{ event: 'push', statusCode: 500 }])
    const requester = await client.requesterFor('app')
    expect(await client.requesterFor('app')).toBe(requester)
    const { text } = await requester.request('GET /app/hook/deliveries')
    expect(JSON.parse(text)).toMatchObject([{ event: 'push', status_code: 500 }])
    expect(requestsTo(github)).toEqual(['GET /app/hook/deliveries 200'])
  })

  test('of the App needs the option "app"', async () => {
    const client = new GitHubClient({ apiUrl: 'http://127.0.0.1:1', token: undefined, app: undefined, logger })
    await expect(client.listInstallations().next()).rejects.toThrow('the option "app"')
  })

  /** The timers that keep the process alive. Waits 0.25 s for short ones: Vitest has one of 0.1 s for its reports. */
  const timers = async () => {
    let count = 1
    for (let end = performance.now() + 250; count > 0 && performance.now() < end; ) {
      await setTimeout(10)
      count = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    }
    return count
  }

  test('leaves no timer that keeps the process alive when its signal aborts', async () => {
    const github = await startGitHub()
    const controller = new AbortController()
    const octokit = await clientOf(github).withToken({ log: logger, signal: controller.signal })
    await octokit.request('GET /user')
    expect(await timers()).toBe(0)
    github.failAt(/user/, 'hang')
    const response = octokit.request('GET /user')
    while (github.requests.length < 2) await setImmediate()
    const reason = new Error('The time is over')
    controller.abort(reason)
    await expect(response).rejects.toBe(reason)
    expect(await timers()).toBe(0)
  })

  test('of an installation asks for its token again if GitHub does not begin an answer within 20 s', async () => {
    const github = await startGitHub()
    const octokit = await clientOf(github).octokitOutside({ installation: 5 })
    github.failAt(/access_tokens/, 'hang')
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const passTimeUntil = async (isDone: () => boolean) => {
      while (!isDone()) {
        await vi.advanceTimersByTimeAsync(1)
        await setImmediate()
      }
    }
    let status: number | undefined
    void octokit.request('GET /installation/repositories').then((answer) => void (status = answer.status))
    await passTimeUntil(() => github.requests.length > 0)
    await vi.advanceTimersByTimeAsync(20_000)
    await passTimeUntil(() => status !== undefined)
    expect([github.requests.length, status]).toEqual([3, 200])
  })

  test('sends no request if its signal has already aborted', async () => {
    const github = await startGitHub()
    const reason = new Error('Too late')
    const octokit = await clientOf(github).withToken({ log: logger, signal: AbortSignal.abort(reason) })
    await expect(octokit.request('GET /user')).rejects.toBe(reason)
    expect(github.requests).toEqual([])
  })
})

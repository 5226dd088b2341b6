import { setImmediate, setTimeout } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { GitHubClient } from '../../src/github/github-client.ts'
import { childLogger } from '../../src/telemetry/logger.ts'
import type { LocalGitHub } from '../../src/testing/index.ts'
import { Recorder } from '../recorder.ts'
import { addApp, requestsTo, startGitHub } from './bot-scene.ts'

const logger = childLogger(new Recorder())

function clientOf(github: LocalGitHub): GitHubClient {
  return new GitHubClient({ apiUrl: github.url, token: github.addToken(), app: addApp(github), logger })
}

describe('an Octokit', () => {
  test('of the App itself reads the deliveries of its webhook', async () => {
    const github = await startGitHub()
    const client = clientOf(github)
    const hook = github.addHook({ app: 3, url: 'http://127.0.0.1:1/hooks' })
    github.record(hook, [{ event: 'push', statusCode: 500 }])
    const octokit = await client.asApp()
    expect(await client.asApp()).toBe(octokit)
    const { data } = await octokit.rest.apps.listWebhookDeliveries()
    expect(data).toMatchObject([{ event: 'push', status_code: 500 }])
    expect(requestsTo(github)).toEqual(['GET /app/hook/deliveries 200'])
  })

  test('of the App needs the option "app"', async () => {
    const client = new GitHubClient({ apiUrl: 'http://127.0.0.1:1', token: undefined, app: undefined, logger })
    await expect(client.asApp()).rejects.toThrow('the option "app"')
  })

  /** The timers that keep the process alive. */
  const timers = async () => {
    for (let turn = 0; turn < 50; turn++) await setTimeout(0) // Octokit continues in timers of 0 ms
    return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  }

  test('leaves no timer that keeps the process alive when its signal aborts', async () => {
    const github = await startGitHub()
    const controller = new AbortController()
    const octokit = await clientOf(github).withToken({ log: logger, signal: controller.signal })
    await octokit.request('GET /user')
    const before = await timers()
    github.failAt(/user/, 'hang')
    const response = octokit.request('GET /user')
    while (github.requests.length < 2) await setImmediate()
    const reason = new Error('The time is over')
    controller.abort(reason)
    await expect(response).rejects.toBe(reason)
    expect(await timers()).toBe(before)
  })

  test('sends no request if its signal has already aborted', async () => {
    const github = await startGitHub()
    const reason = new Error('Too late')
    const octokit = await clientOf(github).withToken({ log: logger, signal: AbortSignal.abort(reason) })
    await expect(octokit.request('GET /user')).rejects.toBe(reason)
    expect(github.requests).toEqual([])
  })
})

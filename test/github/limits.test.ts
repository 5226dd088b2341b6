/** Rate limits as GitHub states them: in headers, or not at all. */
import { Octokit } from 'octokit'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { DeliveryLog } from '../../src/github/delivery-log.ts'
import { toRequester } from '../../src/github/octokit-requester.ts'
import { withoutPlugins } from '../../src/github/octokit-scope.ts'
import { describeError, type RequestError, RetryingRequester, rateLimitWait } from '../../src/github/requester.ts'
import { explainDeniedAccess } from '../../src/github/webhooks/denied-access.ts'
import { PollingScene } from './polling-scene.ts'
import { Scene, token } from './recovery-scene.ts'

const minute = 60_000

/** A local GitHub whose secondary limit is exceeded, and whose answers do not say for how long. */
const silent = { limits: { points: 0, retryAfter: false } }

const signal = new AbortController().signal

describe('a limit that is exceeded again after each wait', () => {
  /** The waits of a request until it fails. */
  async function waitsFor(retryAfter: string, maxWait: number): Promise<number[]> {
    const response = { headers: { 'retry-after': retryAfter } }
    const rejection = Object.assign(new Error('secondary rate limit'), { status: 403, response })
    const waits: number[] = []
    const pause = async (ms: number) => {
      waits.push(ms)
      if (waits.length > 100) throw new Error('The request never fails')
    }
    const policy = { requestTimeout: 10_000, maxWait, retries: [] }
    const github = new RetryingRequester({ request: () => Promise.reject(rejection) }, signal, policy, pause)
    await expect(github.request('GET /x')).rejects.toBe(rejection)
    return waits
  }

  test('fails the request when all waits together would exceed the longest wait of the policy', async () => {
    expect(await waitsFor('240', 15 * minute)).toEqual(Array(3).fill(4 * minute))
  })

  test('makes the request wait longer and longer, even if GitHub asks for no wait', async () => {
    expect(await waitsFor('0', minute)).toEqual([1000, 2000, 4000, 8000, 16_000])
  })

  test('fails the request at once if the policy allows no wait', async () => {
    expect(await waitsFor('0', 0)).toEqual([])
  })
})

describe('a secondary limit without Retry-After', () => {
  test('makes a request wait a minute, then longer and longer, up to the longest wait of the policy', async () => {
    const scene = await Scene.open(silent)
    const waits: number[] = []
    const pause = async (ms: number) => void waits.push(ms)
    const policy = { requestTimeout: 10_000, maxWait: 15 * minute, retries: [] }
    const github = new RetryingRequester(scene.requester(), signal, policy, pause)
    await expect(github.request('GET /repos/acme/shop/hooks')).rejects.toThrow('secondary rate limit')
    expect(waits).toEqual([minute, 2 * minute, 4 * minute, 8 * minute])
  })

  test('makes polling wait a minute, then longer and longer', async () => {
    const scene = await PollingScene.open(silent)
    const poll = scene.poll()
    expect([await poll.turn(), await poll.turn(), await poll.turn()]).toEqual([minute, 2 * minute, 4 * minute])
  })

  test('makes polling wait a minute at first, however long the network failed before', async () => {
    const scene = await PollingScene.open()
    const poll = scene.poll({ retryPolicy: { requestTimeout: 10_000, maxWait: 0, retries: [] } })
    const limit = { status: 403, body: { message: 'You have exceeded a secondary rate limit' } }
    scene.github.failAt(/^GET/, ...Array(12).fill('cut'), limit, limit)
    for (let failures = 0; failures < 12; failures++) await poll.turn()
    expect([await poll.turn(), await poll.turn()]).toEqual([minute, 2 * minute])
  })

  test('is not reported as a missing permission', async () => {
    const scene = await Scene.open(silent)
    const error = await scene
      .requester(token)
      .request('GET /repos/acme/shop/hooks')
      .catch((thrown: unknown) => thrown)
    expect(explainDeniedAccess(error, { repository: 'acme/shop' }, 'read')).toBeUndefined()
    expect(describeError(error)).toMatch(
      /^GitHub rejected the request \(403\): You have exceeded a secondary rate limit/,
    )
  })
})

test('a token that is not authorized for single sign-on is not reported as a rejected request alone', () => {
  const headers = { 'x-github-sso': 'required; url=https://github.com/orgs/acme/sso' }
  expect(describeError({ status: 403, message: 'Resource protected', response: { headers } })).toBe(
    'GitHub rejected the request (403). The organization requires SAML single sign-on: authorize the token at https://github.com/orgs/acme/sso',
  )
})

test('a request that got no answer is reported with the reason', () => {
  const lost = Object.assign(new Error('getaddrinfo ENOTFOUND api.github.com'), { status: 500 })
  expect(describeError(lost)).toBe('Cannot reach GitHub: getaddrinfo ENOTFOUND api.github.com')
  // Octokit's error after failed connections to several addresses.
  const tried = new TypeError('fetch failed', { cause: new AggregateError([new Error('connect ECONNREFUSED ::1:80')]) })
  const refused = Object.assign(new Error('', { cause: tried }), { status: 500 })
  expect(describeError(refused)).toBe('Cannot reach GitHub: connect ECONNREFUSED ::1:80')
})

test.each([
  ['429 alone', { status: 429, message: 'slow down', response: { headers: {} } }, minute],
  ['403 with a message about abuse', { status: 403, message: 'abuse detection mechanism', response: {} }, minute],
  ['403 with another message', { status: 403, message: 'Resource not accessible', response: {} }, undefined],
  ['403 without an answer of GitHub', { status: 403, message: 'no rate limit' }, undefined],
  ['500', { status: 500, message: 'rate limit', response: {} }, undefined],
])('an answer with %s', (_what, error, wait) => {
  expect(rateLimitWait(error as unknown as RequestError)).toBe(wait)
})

test('a delivery, which may be larger than other answers, has more time to arrive', async () => {
  const timeout = vi.spyOn(AbortSignal, 'timeout')
  onTestFinished(() => timeout.mockRestore())
  const policy = { requestTimeout: 10_000, maxWait: 0, retries: [] }
  const answer = async () => ({ headers: {}, text: '{"request":{"payload":{}}}' })
  const log = new DeliveryLog(new RetryingRequester({ request: answer }, signal, policy), '/log')
  await log.open()
  await log.read('1')
  expect(timeout.mock.calls).toEqual([[10_000], [70_000]])
})

test('an answer that has more time to arrive must begin as soon as any other', async () => {
  const hang = (_address: string, { signal }: { signal: AbortSignal }) =>
    new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  const github = toRequester(new Octokit({ ...withoutPlugins, request: { fetch: hang } }))
  const policy = { requestTimeout: 20, maxWait: 0, retries: [] }
  const requester = new RetryingRequester(github, signal, policy)
  const request = requester.request('GET /log/1', { request: { maxAnswerBytes: 2 ** 40 } })
  await expect(request).rejects.toThrow('There was no answer within 0.02 s')
})

test('polling waits as long as X-Poll-Interval says', async () => {
  const scene = await PollingScene.open({ pollInterval: '60s' })
  const poll = scene.poll()
  expect(await poll.turn()).toBe(minute)
})

/** The delivery log: its ids, its times, its lag, the digits of its payloads, and entries that a test replaces. */
import { describe, expect, test } from 'vitest'
import type { LocalDelivery, LocalGitHub } from '../../../src/testing/index.ts'
import { ask, octokitFor, secret, start, startPlain, startReceiver } from './scene.ts'

const token = 'right'
const minute = 60_000
const push = { event: 'push' }
const where = { owner: 'octo', repo: 'hello' }

const hookOf = (github: LocalGitHub, url = 'http://127.0.0.1:1/hooks') =>
  github.addHook({ repository: 'octo/hello', url, secret })
const path = ({ id }: { id: number }, rest = '') => `/repos/octo/hello/hooks/${id}/deliveries${rest}`

/** A request without a check of the answer, which may be one that GitHub does not describe. */
async function send(github: LocalGitHub, what: string) {
  const [method = '', target = ''] = what.split(' ')
  const response = await fetch(github.url + target, { method, headers: { authorization: `Bearer ${token}` } })
  return { status: response.status, text: await response.text() }
}

test('a local GitHub with maxRecords keeps only the last requests and deliveries', async () => {
  const github = await start({ token, maxRecords: 2 })
  const hook = hookOf(github)
  const made = github.record(hook, [push, push, push])
  expect(github.deliveries(hook)).toEqual(made.slice(1))
  for (const name of ['one', 'two', 'three']) await send(github, `GET /${name}`)
  expect(github.requests.map(({ path }) => path)).toEqual(['/two', '/three'])
})

describe('the id of a delivery', () => {
  test('is larger than 2^53, rises, and is not found after rounding', async () => {
    const github = await start({ token })
    const hook = hookOf(github)
    const ids = github.record(hook, [push, push, push]).map(({ id }) => id)
    expect(ids[0]).toMatch(/^38400000000000000\d\d$/)
    expect(ids.toSorted()).toEqual(ids)
    expect(new Set(ids.map(Number)).size).toBeLessThan(3)
    expect((await send(github, `GET ${path(hook, `/${Number(ids[0])}`)}`)).status).toBe(404)
  })

  test('is a bare integer in the JSON of a list and of a single delivery', async () => {
    const github = await start({ token })
    const hook = hookOf(github)
    const [made] = github.record(hook, [push])
    for (const rest of ['', `/${made?.id}`]) {
      const { text } = await ask(github, `GET ${path(hook, rest)}`, { token })
      expect(text).toContain(`"id":${made?.id},"guid":`)
    }
  })

  test('is exact in Octokit, in its pages and in a redelivery', async () => {
    const [github, { url, deliveries }] = [await start({ token }), await startReceiver()]
    const hook = hookOf(github, url)
    const ids = github.record(hook, Array(5).fill(push)).map(({ id }) => id)
    const octokit = octokitFor(github, token)
    const route = 'GET /repos/{owner}/{repo}/hooks/{hook_id}/deliveries'
    const listed = await octokit.paginate(route, { ...where, hook_id: hook.id, per_page: 2 })
    expect(listed.map(({ id }) => String(id))).toEqual(ids.toReversed())
    for (const { id } of listed)
      await octokit.rest.repos.redeliverWebhookDelivery({ ...where, hook_id: hook.id, delivery_id: id })
    await github.idle()
    expect(deliveries.map(({ guid }) => guid)).toEqual(listed.map(({ guid }) => guid))
  })

  test('is smaller on an Enterprise Server', async () => {
    const github = await start({ token, enterprise: true })
    const [made] = github.record(hookOf(github), [push])
    expect(made?.id).toMatch(/^400000000\d\d$/)
  })
})

describe('the times of a delivery', () => {
  test('have milliseconds', async () => {
    const github = await start({ token })
    const hook = hookOf(github)
    const deliveredAt = github.clock.now() - minute
    const [made] = github.record(hook, [{ ...push, deliveredAt, throttledAt: deliveredAt - 1 }])
    const times = [deliveredAt, deliveredAt - 1].map((time) => new Date(time).toISOString())
    for (const rest of ['', `/${made?.id}`]) {
      const { json } = await ask(github, `GET ${path(hook, rest)}`, { token })
      const { delivered_at, throttled_at } = rest === '' ? json[0] : json
      expect([delivered_at, throttled_at]).toEqual(times)
    }
  })

  test('include the time at which GitHub held it back, but not for its redelivery', async () => {
    const [github, { url }] = [await start({ token }), await startReceiver()]
    const hook = hookOf(github, url)
    const throttledAt = github.clock.now()
    const [made] = await github.deliver('push', undefined, { throttledAt })
    expect(made?.throttledAt).toBe(throttledAt)
    await ask(github, `POST ${path(hook, `/${made?.id}/attempts`)}`, { token })
    await github.idle()
    const { json } = await ask(github, `GET ${path(hook)}`, { token })
    expect(json.map(({ throttled_at }: { throttled_at: string }) => throttled_at)).toEqual([
      null,
      new Date(throttledAt).toISOString(),
    ])
  })
})

describe('a log that lags', () => {
  /** The number of listed deliveries, and the statuses for the oldest one and for its redelivery. */
  async function visible(github: LocalGitHub, hook: { id: number }, made: LocalDelivery | undefined) {
    const { json } = await ask(github, `GET ${path(hook)}`, { token })
    const single = await ask(github, `GET ${path(hook, `/${made?.id}`)}`, { token })
    const attempt = await ask(github, `POST ${path(hook, `/${made?.id}/attempts`)}`, { token })
    await github.idle()
    return [json.length, single.status, attempt.status]
  }

  test('shows an attempt once the lag has passed since it ended', async () => {
    const [github, { url }] = [await start({ token, logLag: 5 * minute }), await startReceiver()]
    const hook = hookOf(github, url)
    const [made] = await github.deliver('push')
    expect(await visible(github, hook, made)).toEqual([0, 404, 404])
    github.clock.advance(4 * minute)
    expect(await visible(github, hook, made)).toEqual([0, 404, 404])
    github.clock.advance(minute)
    expect(await visible(github, hook, made)).toEqual([1, 200, 202])
    expect(github.deliveries(hook)).toHaveLength(2)
  })

  test('can start and end its lag later', async () => {
    const github = await start({ token })
    const hook = hookOf(github)
    const [made] = github.record(hook, [push])
    expect(github.logLag).toBe(0)
    github.logLag = minute
    expect(await visible(github, hook, made)).toEqual([0, 404, 404])
    github.logLag = 0
    expect(await visible(github, hook, made)).toEqual([1, 200, 202])
  })

  test('counts the lag from the end of a long attempt', async () => {
    const github = await start({ token, logLag: minute })
    const hook = hookOf(github)
    const [made] = github.record(hook, [{ ...push, deliveredAt: github.clock.now() - minute, duration: '10s' }])
    expect(await visible(github, hook, made)).toEqual([0, 404, 404])
    github.clock.advance(10_000)
    expect(await visible(github, hook, made)).toEqual([1, 200, 202])
  })
})

describe('an overridden entry', () => {
  test.each([
    ['null', null, 'null'],
    ['a text', 'garbage', '"garbage"'],
    ['an empty object', {}, '{}'],
  ])('replaces its item in lists by %s, and no other', async (_what, listed, shown) => {
    const github = await start({ token })
    const hook = hookOf(github)
    const [one, two] = github.record(hook, [push, push])
    if (one) github.overrideEntry(one, { listed })
    const { text } = await send(github, `GET ${path(hook)}`)
    expect(text.startsWith(`[{"id":${two?.id},`)).toBe(true)
    expect(text.endsWith(`,${shown}]`)).toBe(true)
    expect((await send(github, `GET ${path(hook, `/${one?.id}`)}`)).status).toBe(200)
  })

  test('may be derived from the usual item, whose id stays exact', async () => {
    const github = await start({ token })
    const hook = hookOf(github)
    const [made] = github.record(hook, [push])
    github.overrideEntry(made?.id ?? '', { listed: (entry) => ({ ...entry, delivered_at: 'yesterday' }) })
    const { text } = await send(github, `GET ${path(hook)}`)
    expect(text).toMatch(new RegExp(`^\\[{"id":${made?.id},.*"delivered_at":"yesterday"`))
  })

  test.each([
    [{ status: 500 }, { status: 500, text: '' }],
    [
      { status: 200, body: null },
      { status: 200, text: 'null' },
    ],
    [
      { status: 200, body: { request: null } },
      { status: 200, text: '{"request":null}' },
    ],
  ])('answers requests for it by %j until it is shown again', async (single, expected) => {
    const github = await start({ token })
    const hook = hookOf(github)
    const [one, two] = github.record(hook, [push, push])
    const [at, attempts] = [`GET ${path(hook, `/${one?.id}`)}`, `POST ${path(hook, `/${one?.id}/attempts`)}`]
    github.overrideEntry(one?.id ?? '', { single })
    for (const what of [at, at, attempts]) expect(await send(github, what)).toEqual(expected)
    expect((await send(github, `GET ${path(hook, `/${two?.id}`)}`)).status).toBe(200)
    expect(JSON.parse((await send(github, `GET ${path(hook)}`)).text)).toHaveLength(2)
    github.overrideEntry(one?.id ?? '', {})
    expect([(await send(github, at)).status, (await send(github, attempts)).status]).toEqual([200, 202])
    expect(
      github.requests.filter(({ path: asked }) => asked.includes(`${one?.id}`)).map(({ status }) => status),
    ).toEqual([...Array(3).fill(expected.status), 200, 202])
  })

  test('may cut the connection, or never answer', async () => {
    const github = await start({ token })
    const hook = hookOf(github)
    const [one, two] = github.record(hook, [push, push])
    github.overrideEntry(one?.id ?? '', { single: 'cut' })
    await expect(send(github, `GET ${path(hook, `/${one?.id}`)}`)).rejects.toThrow()
    github.overrideEntry(two?.id ?? '', { single: 'hang' })
    const hanging = send(github, `GET ${path(hook, `/${two?.id}`)}`)
    await github.close()
    await expect(hanging).rejects.toThrow()
  })

  test('must exist', async () => {
    const github = await start()
    expect(() => github.overrideEntry('1', {})).toThrow(new TypeError('There is no delivery 1'))
  })
})

describe('lists of deliveries', () => {
  test('have the header x-poll-interval only with `pollInterval`', async () => {
    for (const pollInterval of [undefined, '1m'] as const) {
      const github = await start({ token, ...(pollInterval && { pollInterval }) })
      const hook = hookOf(github)
      const [made] = github.record(hook, [push])
      const { headers } = await ask(github, `GET ${path(hook)}`, { token })
      expect(headers.get('x-poll-interval')).toBe(pollInterval ? '60' : null)
      const unchanged = { 'if-none-match': headers.get('etag') ?? '' }
      const again = await ask(github, `GET ${path(hook)}`, { token, headers: unchanged })
      expect([again.status, again.headers.get('x-poll-interval')]).toEqual([304, pollInterval ? '60' : null])
      const single = await ask(github, `GET ${path(hook, `/${made?.id}`)}`, { token })
      expect(single.headers.get('x-poll-interval')).toBe(null)
    }
  })
})

describe('a payload that is given as text', () => {
  const text =
    '{ "action":"deploy", "branch":"main", "client_payload":{"id":9007199254740993,"ratio":1.0,"large":1e400,"e":-0},\n' +
    '  "repository":{"id":1,"full_name":"octo/hello","private":false} }'

  test('is sent byte for byte, also to an App and as a redelivery', async () => {
    const [github, { url, got }] = [await start({ token }), await startPlain(200)]
    const app = github.addApp({ id: 3, installations: [{ id: 5, account: 'octo' }] })
    github.addHook({ app, url, secret })
    const hook = hookOf(github, url)
    const made = await github.deliver('repository_dispatch', text)
    expect(made).toMatchObject([
      { action: 'deploy', installationId: undefined, request: { payload: { branch: 'main' }, payloadText: text } },
      { action: 'deploy', repositoryId: 1, request: { payload: { branch: 'main' }, payloadText: text } },
    ])
    await ask(github, `POST ${path(hook, `/${made[1]?.id}/attempts`)}`, { token })
    await github.idle()
    expect(got.map(({ body }) => body)).toEqual([text, text, text])
  })

  test('has the same digits in the API, sent or recorded', async () => {
    const [github, { url }] = [await start({ token }), await startReceiver()]
    const hook = hookOf(github, url)
    const made = [
      ...(await github.deliver('repository_dispatch', text)),
      ...github.record(hook, [{ event: 'repository_dispatch', payload: text }]),
    ]
    expect(made).toHaveLength(2)
    for (const { id } of made) {
      const answer = await ask(github, `GET ${path(hook, `/${id}`)}`, { token })
      expect(answer.text).toContain('"client_payload":{"id":9007199254740993,"ratio":1.0,"large":1e400,"e":-0}')
    }
  })

  test('may be sent as a form', async () => {
    const [github, { url, deliveries }] = [await start(), await startReceiver()]
    github.addHook({ repository: 'octo/hello', url, secret, contentType: 'form' })
    await github.deliver('repository_dispatch', text)
    expect(deliveries.map(({ payload }) => (payload as { branch?: string }).branch)).toEqual(['main'])
  })

  test.each(['[]', 'null', 'nonsense'])('must be a JSON object: %s', async (wrong) => {
    const github = await start()
    const error = new TypeError('A payload given as text must be a JSON object')
    await expect(github.deliver('push', wrong)).rejects.toThrow(error)
    expect(() => github.record(hookOf(github), [{ event: 'push', payload: wrong }])).toThrow(error)
  })
})

import { describe, expect, test } from 'vitest'
import type { LocalGitHub } from '../../../src/testing/index.ts'
import { jwtOf } from './jwt.ts'
import { ask, octokitFor, secret, start, startReceiver } from './scene.ts'

const token = 'right'
const hour = 60 * 60 * 1000
const nowhere = 'http://127.0.0.1:1/hooks'

const hookOf = (github: LocalGitHub, url = nowhere) => github.addHook({ repository: 'octo/hello', url, secret })
const path = ({ id }: { id: number }, rest = '') => `/repos/octo/hello/hooks/${id}/deliveries${rest}`

describe('the list of deliveries', () => {
  test('has the newest first, in the pages that Octokit reads', async () => {
    const github = await start({ token })
    const hook = hookOf(github)
    const past = Array.from({ length: 2345 }, (_, index) => ({
      ...{ event: 'issues.opened', guid: `guid-${index}` },
      ...{ statusCode: index % 3 === 0 ? 503 : 200, deliveredAt: github.clock.now() - (2345 - index) * 1000 },
    }))
    const made = github.record(hook, past.toReversed())
    expect(made).toHaveLength(2345)
    const octokit = octokitFor(github, token)
    const where = { owner: 'octo', repo: 'hello', hook_id: hook.id, per_page: 100 }
    const all = await octokit.paginate('GET /repos/{owner}/{repo}/hooks/{hook_id}/deliveries', where)
    expect(all.map(({ guid }) => guid)).toEqual(past.map(({ guid }) => guid).toReversed())
    expect(github.requests).toHaveLength(24)
    expect(all[0]).toMatchObject({
      status: 'OK',
      status_code: 200,
      redelivery: false,
      action: 'opened',
      event: 'issues',
    })
    const failed = await octokit.paginate('GET /repos/{owner}/{repo}/hooks/{hook_id}/deliveries', {
      ...{ ...where, status: 'failure' as const },
    })
    expect(failed).toHaveLength(782)
    expect(new Set(failed.map(({ status }) => status))).toEqual(new Set(['Invalid HTTP Response: 503']))
  })

  test('has 30 entries a page by default, and at most 100', async () => {
    const github = await start({ token })
    const hook = hookOf(github)
    const made = github.record(
      hook,
      Array.from({ length: 120 }, () => ({ event: 'push' })),
    )
    const sizes = ['', '?per_page=7', '?per_page=1000', '?per_page=nonsense'].map(async (query) => {
      const { json, headers } = await ask(github, `GET ${path(hook, query)}`, { token })
      return [json.length, /^<http[^>]+[?&]cursor=v1_\d+[^>]*>; rel="next"$/.test(headers.get('link') ?? '')]
    })
    expect(await Promise.all(sizes)).toEqual([
      [30, true],
      [7, true],
      [100, true],
      [30, true],
    ])
    const rest = await ask(github, `GET ${path(hook, `?per_page=100&cursor=v1_${made[19]?.id}`)}`, { token })
    expect([rest.json.length, rest.headers.get('link')]).toEqual([20, null])
  })

  test('keeps its pages while new deliveries are added', async () => {
    const github = await start({ token })
    const hook = hookOf(github)
    github.record(hook, [
      { event: 'push', guid: 'a' },
      { event: 'push', guid: 'b' },
    ])
    const first = await ask(github, `GET ${path(hook, '?per_page=1')}`, { token })
    github.record(hook, [{ event: 'push', guid: 'c' }])
    const [, next] = /<([^>]+)>/.exec(first.headers.get('link') ?? '') ?? []
    const second = await ask(github, `GET ${next}`, { token })
    expect([...first.json, ...second.json].map(({ guid }) => guid)).toEqual(['b', 'a'])
  })

  test('shows a redirect as GitHub does: a success by its code, but not OK', async () => {
    const github = await start({ token })
    const hook = hookOf(github)
    github.record(
      hook,
      [200, 302, 404, 500].map((statusCode) => ({ event: 'push', statusCode })),
    )
    const codes = async (status: string) =>
      (await ask(github, `GET ${path(hook, `?status=${status}`)}`, { token })).json.map(
        ({ status_code }: { status_code: number }) => status_code,
      )
    expect(await codes('success')).toEqual([302, 200])
    expect(await codes('failure')).toEqual([500, 404])
    expect(await ask(github, `GET ${path(hook, '?status=other')}`, { token })).toMatchObject({ status: 400 })
    expect(await ask(github, `GET ${path(hook, '?cursor=other')}`, { token })).toMatchObject({ status: 400 })
  })

  test.each([
    [false, 3 * 24],
    [true, 7 * 24],
  ])('with enterprise %s, drops entries after %i hours', async (enterprise, hours) => {
    const github = await start({ token, enterprise })
    const hook = hookOf(github)
    const [made] = github.record(hook, [{ event: 'push' }])
    const look = async () => [
      (await ask(github, `GET ${path(hook)}`, { token })).json.length,
      (await ask(github, `GET ${path(hook, `/${made?.id}`)}`, { token })).status,
      (await ask(github, `POST ${path(hook, `/${made?.id}/attempts`)}`, { token })).status,
    ]
    github.clock.advance((hours - 1) * hour)
    expect(await look()).toEqual([1, 200, 202])
    await github.idle()
    github.clock.advance(hour + 1000)
    expect(await look()).toEqual([1, 404, 404]) // only the redelivery is left
    expect(github.deliveries(hook)).toHaveLength(2)
  })
})

describe('a single delivery', () => {
  test('has the request and the response', async () => {
    const [github, { url }] = [await start({ token }), await startReceiver()]
    const hook = hookOf(github, url)
    github.clock.set(Date.UTC(2026, 0, 2, 3, 4, 5))
    const [made] = await github.deliver('issues.opened')
    const { json } = await ask(github, `GET ${path(hook, `/${made?.id}`)}`, { token })
    expect(json).toMatchObject({
      ...{ id: BigInt(made?.id ?? 0), guid: made?.guid, url, throttled_at: null },
      delivered_at: expect.stringMatching(/^2026-01-02T03:04:05\.\d{3}Z$/),
      repository_id: json.request.payload.repository.id,
      request: {
        headers: { 'X-GitHub-Event': 'issues', 'X-GitHub-Delivery': made?.guid },
        payload: { action: 'opened' },
      },
      response: { payload: 'taken' },
    })
    expect(Object.keys(json.response.headers).map((name) => name.toLowerCase())).toContain('content-type')
  })

  test('belongs to one webhook only', async () => {
    const github = await start({ token })
    const [one, two] = [hookOf(github), hookOf(github)]
    const [made] = github.record(one, [{ event: 'push' }])
    expect(await ask(github, `GET ${path(two, `/${made?.id}`)}`, { token })).toMatchObject({ status: 404 })
  })
})

describe('a redelivery', () => {
  test('is accepted, and creates a delivery with the same GUID', async () => {
    const [github, receiver] = [await start({ token }), await startReceiver()]
    const hook = hookOf(github, receiver.url)
    receiver.fail(1)
    const [failed] = await github.deliver('issues.opened')
    expect(failed?.status).toBe('Invalid HTTP Response: 500')
    const where = { owner: 'octo', repo: 'hello', hook_id: hook.id, delivery_id: failed?.id as unknown as number }
    const { rest } = octokitFor(github, token)
    expect((await rest.repos.redeliverWebhookDelivery(where)).status).toBe(202)
    await github.idle()
    expect(receiver.deliveries).toMatchObject([
      { guid: failed?.guid, event: 'issues', payload: failed?.request.payload },
    ])
    const { data } = await rest.repos.listWebhookDeliveries(where)
    expect(data.map(({ guid, redelivery, status }) => [guid, redelivery, status])).toEqual([
      [failed?.guid, true, 'OK'],
      [failed?.guid, false, 'Invalid HTTP Response: 500'],
    ])
    expect(BigInt(data[0]?.id ?? 0)).toBeGreaterThan(BigInt(failed?.id ?? 0))
  })

  test.each(['/orgs/octo-org/hooks/HOOK', '/app/hook'])('can also be requested below %s', async (root) => {
    const [github, { url, deliveries }] = [await start({ token }), await startReceiver()]
    const app = github.addApp({ id: 3 })
    const hook = github.addHook({ url, secret, ...(root === '/app/hook' ? { app } : { organization: 'octo-org' }) })
    const [past] = github.record(hook, [{ event: 'push', status: 'timed out', statusCode: 504 }])
    const as = { token: root === '/app/hook' ? jwtOf(app) : token }
    const at = `${root.replace('HOOK', String(hook.id))}/deliveries/${past?.id}/attempts`
    expect((await ask(github, `POST ${at}`, as)).status).toBe(202)
    await github.idle()
    expect(deliveries.map(({ guid }) => guid)).toEqual([past?.guid])
  })
})

/** Recovery after outages: every missed delivery is handled once, with as few requests to GitHub as possible. */
import { describe, expect, test } from 'vitest'
import { GitHubClient } from '../../../src/github/github-client.ts'
import type { Target } from '../../../src/github/target.ts'
import { childLogger } from '../../../src/telemetry/logger.ts'
import { withMembers } from '../../inbox/stores.ts'
import { allHandledOnce, failed, fastRetries, noRetries, redeliveryCounts, succeeded } from '../recorded-deliveries.ts'
import { Scene } from '../recovery-scene.ts'
import { describeOutage, testUnhandled } from './outage-scene.ts'

const day = 86_400_000

// `outage.campaign.ts` has more deliveries.
describeOutage(300)

describe('a sweep requests only', () => {
  testUnhandled(50, 300)

  test('nothing older than a new inbox, after three days of failures', async () => {
    const scene = await Scene.open()
    const createdAt = await scene.inbox.createdAt()
    for (let hours = 1; hours < 72; hours++) failed(scene, 50, { deliveredAt: createdAt - hours * 3_600_000 })
    const swept = await scene.recovery().sweep()
    expect(swept?.reports).toMatchObject([{ sent: 0, calls: 1, counts: { requested: 0, missed: 0 } }])
    expect([await scene.inbox.missedDeliveries(), redeliveryCounts(scene)]).toEqual([[], []])
  })

  test('what GitHub keeps: for three days on github.com, for seven on an Enterprise Server', async () => {
    const old = async (enterprise: boolean, retentionDays: number) => {
      const scene = await Scene.open({ enterprise })
      const now = Date.now()
      const guids = [1, 2.9, 3.1, 6.9, 7.1].map((days) => failed(scene, 20, { deliveredAt: now - days * day }))
      const inbox = withMembers(scene.inbox, { createdAt: async () => now - 30 * day })
      const swept = await scene.recovery({ retention: retentionDays * day, inbox }).sweep()
      return { scene, guids, swept }
    }
    const server = await old(true, 7)
    expect(server.swept?.reports).toMatchObject([{ sent: 80, counts: { requested: 80 }, calls: 81 }])
    await allHandledOnce(server.scene, server.guids.slice(0, 4).flat())
    expect(server.scene.github.requests.every(({ path }) => path.startsWith('/api/v3/'))).toBe(true)
    const com = await old(false, 3)
    expect(com.swept?.reports).toMatchObject([{ sent: 40, counts: { requested: 40 }, calls: 41 }])
    await allHandledOnce(com.scene, com.guids.slice(0, 2).flat())
  })
})

describe('a sweep requests the deliveries of', () => {
  /** A client that authenticates as an App, which is installed for acme/shop. */
  const withApp = async () => {
    const scene = await Scene.open()
    const app = scene.github.addApp({
      id: 3,
      slug: 'shop-bot',
      installations: [{ id: 5, repositories: ['acme/shop'] }],
    })
    const credentials = { id: app.id, privateKey: app.privateKey }
    const logger = childLogger(scene.recorder)
    const settings = { apiUrl: scene.github.url, app: credentials, token: undefined, logger }
    const client = new GitHubClient(settings)
    const connect = (target: Target) => client.requesterFor(target)
    return { scene, app, connect }
  }

  test("an App's webhook, as the App itself", async () => {
    const { scene, app, connect } = await withApp()
    const hook = scene.addHook({ app })
    const before = await succeeded(scene, 250, hook)
    const missed = failed(scene, 3, { hook })
    const recovery = scene.recovery({ targets: ['app'], connect })
    const swept = await recovery.sweep()
    expect(swept?.reports).toMatchObject([
      { target: 'app', hookId: String(hook.id), sent: 253, counts: { requested: 3 } },
    ])
    await allHandledOnce(scene, [...before, ...missed])
    expect(scene.calls).toEqual({
      'GET /app/hook/deliveries': 4, // two of them to find the id of the webhook
      'GET /app/hook/deliveries/n': 1,
      'POST /app/hook/deliveries/n/attempts': 3,
    })
    expect((await recovery.sweep())?.reports).toMatchObject([{ counts: { received: 3, requested: 0 } }])
    expect(scene.calls).toMatchObject({ 'GET /app/hook/deliveries/n': 2 })
  })

  test("a repository's webhook, as the installation of the App", async () => {
    const { scene, connect } = await withApp()
    const missed = failed(scene, 3)
    const swept = await scene.recovery({ connect }).sweep()
    expect(swept?.reports).toMatchObject([{ target: 'acme/shop', sent: 3, counts: { requested: 3 } }])
    await allHandledOnce(scene, missed)
    expect(Object.keys(scene.calls).slice(0, 2)).toEqual([
      'GET /repos/acme/shop/installation',
      'POST /app/installations/5/access_tokens',
    ])
  })

  test("an organization's webhook, named by its id or found by its address", async () => {
    const scene = await Scene.open()
    const hook = scene.addHook({ organization: 'acme' })
    const missed = failed(scene, 120, { hook })
    const named = await scene.recovery({ targets: [{ organization: 'acme', id: String(hook.id) }] }).sweep()
    expect(named?.reports).toMatchObject([{ target: 'acme', sent: 120, calls: 122, counts: { requested: 120 } }])
    await allHandledOnce(scene, missed)
    const found = await scene.recovery({ targets: [{ organization: 'acme' }] }).sweep()
    expect(found?.reports).toMatchObject([{ hookId: String(hook.id), counts: { received: 120, requested: 0 } }])
  })
})

describe('a redelivery that GitHub rejects', () => {
  test('does not block other redeliveries, and is requested again later', async () => {
    const scene = await Scene.open()
    const missed = failed(scene, 50)
    const [oldest] = scene.github.deliveries(scene.hook)
    scene.github.failAt(new RegExp(`/${oldest?.id}/attempts`), ...Array(4).fill({ status: 500 }))
    const recovery = scene.recovery({ every: 0, retryPolicy: fastRetries })
    const swept = await recovery.sweep()
    expect(swept?.reports).toMatchObject([{ counts: { requested: 49, missed: 1 }, error: expect.any(String) }])
    await allHandledOnce(scene, missed.slice(1))
    const again = await recovery.sweep()
    expect(again?.reports).toMatchObject([{ counts: { received: 49, requested: 1, missed: 0 } }])
    expect(again?.reports[0]).not.toHaveProperty('error')
    await allHandledOnce(scene, missed)
  })

  test.each([
    ['with 500 three times', { status: 500 }, 3],
    ['with 401', { status: 401 }, 1],
    ['with 403', { status: 403 }, 1],
  ])('ends the sweep if GitHub answers %s, and reports the earlier requests', async (_why, failure, posts) => {
    const scene = await Scene.open()
    failed(scene, 50)
    const [, , third] = scene.github.deliveries(scene.hook)
    const later = scene.github.deliveries(scene.hook).slice(2)
    for (const { id } of later) scene.github.failAt(new RegExp(`/${id}/attempts`), failure)
    const swept = await scene.recovery({ retryPolicy: noRetries }).sweep()
    expect(swept?.reports).toMatchObject([{ counts: { requested: 2, missed: 48 }, error: expect.any(String) }])
    expect(redeliveryCounts(scene)).toEqual(Array(2 + posts).fill(1))
    expect(
      (await scene.inbox.missedDeliveries()).find(({ deliveryId }) => String(deliveryId) === third?.id),
    ).toMatchObject({
      state: 'missed',
      requests: posts === 1 ? 0 : 1, // after 401 and 403, the request does not count
    })
  })
})

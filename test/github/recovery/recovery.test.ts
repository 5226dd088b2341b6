import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { continueInbox, lookbackByGitHub } from '../../../src/github/lookback.ts'
import { lastSweep } from '../../../src/github/recovery/recovery.ts'
import type { MissedDelivery } from '../../../src/inbox/missed-deliveries.ts'
import { openInbox } from '../../inbox/stores.ts'
import { fastRetries } from '../recorded-deliveries.ts'
import { Scene } from '../recovery-scene.ts'

const hour = 3_600_000

/** Makes GitHub deliver pushes, 50 at a time. @returns their GUIDs. */
async function pushes(scene: Scene, count: number): Promise<string[]> {
  const guids: string[] = []
  while (guids.length < count) {
    const together = Math.min(50, count - guids.length)
    const sent = await Promise.all(Array.from({ length: together }, () => scene.github.deliver('push', push)))
    guids.push(...sent.map(([one]) => one?.guid ?? ''))
  }
  return guids
}

const push = { ref: 'refs/heads/main', repository: { id: 1, full_name: 'acme/shop', private: false } }

describe('a receiver that was down', () => {
  test('handles each missed delivery once, with one request for each page and one for each delivery', async () => {
    const scene = await Scene.open()
    const before = await pushes(scene, 150)
    await scene.stopListening()
    const missed = await pushes(scene, 120)
    await scene.startListening()
    const after = await pushes(scene, 30)

    const swept = await scene.recovery().sweep()
    await scene.github.idle()
    await scene.allHandled()
    expect([...scene.handled].toSorted()).toEqual([...before, ...missed, ...after].map((guid) => [guid, 1]).toSorted())
    expect(swept?.reports).toMatchObject([
      {
        target: 'acme/shop',
        sent: 300,
        unhandled: 0,
        counts: { requested: 120, missed: 0, unrecorded: 0 },
        calls: 123,
      },
    ])
    expect(scene.calls).toEqual({
      [`GET /repos/acme/shop/hooks/${scene.hook.id}/deliveries`]: 3,
      [`POST /repos/acme/shop/hooks/${scene.hook.id}/deliveries/n/attempts`]: 120,
    })
  })

  test('records received deliveries in the next sweep, and requests none twice', async () => {
    const scene = await Scene.open()
    await scene.stopListening()
    await pushes(scene, 5)
    await scene.startListening()
    const recovery = scene.recovery()
    await recovery.sweep()
    await scene.github.idle()
    expect((await recovery.sweep())?.reports).toMatchObject([
      { counts: { received: 5, requested: 0, missed: 0 }, calls: 1 },
    ])
    expect((await scene.inbox.missedDeliveries()).map(({ state, requests }) => [state, requests])).toEqual(
      Array(5).fill(['received', 1]),
    )
    await scene.allHandled()
    expect([...scene.handled.values()]).toEqual(Array(5).fill(1))
  })

  test('requests only events with a handler', async () => {
    const scene = await Scene.open()
    scene.github.record(scene.hook, [
      ...Array.from({ length: 40 }, () => ({ event: 'star.created', statusCode: 502 })),
      ...Array.from({ length: 3 }, () => ({ event: 'push', statusCode: 502 })),
    ])
    const swept = await scene.recovery().sweep()
    expect(swept?.reports).toMatchObject([{ sent: 43, unhandled: 40, counts: { requested: 3 } }])
    await scene.github.idle()
    await scene.allHandled()
    expect(scene.handled.size).toBe(3)
  })

  test('requests no recorded delivery of an event that recovery no longer covers', async () => {
    const scene = await Scene.open()
    await scene.stopListening()
    await pushes(scene, 1)
    const [missed] = (await scene.recovery().sweep({ dryRun: true }))?.missedDeliveries ?? []
    await scene.inbox.saveMissedDeliveries([{ ...(missed as MissedDelivery), guid: 'in no part of the log' }])
    const swept = await scene.recovery({ isHandled: () => false }).sweep()
    expect(swept?.reports).toMatchObject([{ unhandled: 2, fetched: 0, counts: { missed: 0, requested: 0 } }])
  })

  test('requests nothing older than its inbox', async () => {
    const scene = await Scene.open()
    const deliveredAt = (await scene.inbox.createdAt()) - hour
    scene.github.record(
      scene.hook,
      Array.from({ length: 250 }, () => ({ event: 'push', statusCode: 502, deliveredAt })),
    )
    const swept = await scene.recovery().sweep()
    expect(swept?.reports).toMatchObject([{ sent: 0, counts: { requested: 0, missed: 0 }, calls: 1 }])
  })

  test('requests what another inbox missed that its inbox continues', async () => {
    const scene = await Scene.open()
    await scene.recovery().sweep() // compares the clocks
    const createdAt = await scene.inbox.createdAt()
    scene.github.record(scene.hook, [{ event: 'push', statusCode: 502, deliveredAt: createdAt - hour }])
    await continueInbox(scene.inbox, { recoverSince: createdAt - 2 * hour, pollSince: createdAt })
    await continueInbox(scene.inbox, { recoverSince: createdAt, pollSince: createdAt }) // later, so it changes nothing
    const swept = await scene.recovery().sweep({ thorough: true })
    expect(swept?.reports).toMatchObject([{ sent: 1, counts: { requested: 1 } }])
  })

  test('reads missed deliveries from the API in mode pull, and marks them as pulled', async () => {
    const scene = await Scene.open()
    await scene.stopListening()
    const [guid] = await pushes(scene, 1)
    const stored = vi.fn()
    subscribe('hookserver:stored', stored)
    onTestFinished(() => void unsubscribe('hookserver:stored', stored))
    const swept = await scene.recovery({ mode: 'pull' }).sweep()
    expect(swept?.reports).toMatchObject([{ counts: { received: 1 } }])
    expect(stored.mock.calls).toMatchObject([
      [{ guid, event: 'push', rearmed: false, conflict: false }, expect.anything()],
    ])
    await scene.allHandled()
    const [found] = (await scene.inbox.list({ guid })).deliveries
    expect(found).toMatchObject({ event: 'push', pulled: true, hookId: String(scene.hook.id), state: 'done' })
    expect(JSON.parse(new TextDecoder().decode(await scene.inbox.body(found?.id ?? 0)))).toEqual(push)
    expect((await scene.inbox.get(found?.id ?? 0))?.headers).not.toHaveProperty('x-hub-signature-256')
    await scene.startListening()
    expect((await scene.recovery().sweep())?.reports).toMatchObject([{ counts: { received: 1, requested: 0 } }])
  })
})

describe('two webhooks', () => {
  test('with the same GUID are compared separately', async () => {
    const scene = await Scene.open()
    const other = scene.addHook('acme/shop')
    await scene.stopListening()
    const [one] = await scene.github.deliver('push', push)
    await scene.startListening()
    await scene.github.deliver('push', push, { hooks: [scene.hook], guid: one?.guid ?? '' })
    const targets = [scene.hook, other].map(({ id }) => ({ repository: 'acme/shop', id: String(id) }))
    const swept = await scene.recovery({ targets }).sweep()
    expect(swept?.reports).toMatchObject([{ counts: { requested: 0, missed: 0 } }, { counts: { requested: 1 } }])
    await scene.github.idle()
    await scene.allHandled()
    const hookIds = (await scene.inbox.list({ guid: one?.guid })).deliveries.map(({ hookId }) => hookId)
    expect(hookIds.toSorted()).toEqual([scene.hook, other].map(({ id }) => String(id)).toSorted())
  })

  test('are found by the address that they deliver to', async () => {
    const scene = await Scene.open()
    const other = scene.addHook('acme/shop')
    scene.github.addHook({ repository: 'acme/shop', url: 'http://127.0.0.1:1/elsewhere' })
    const swept = await scene.recovery({ targets: [{ repository: 'acme/shop' }] }).sweep()
    expect(swept?.reports.map(({ hookId }) => Number(hookId))).toEqual([scene.hook.id, other.id])
    const nowhere = await scene
      .recovery({ targets: [{ repository: 'acme/shop' }], publicUrl: 'http://x.example/' })
      .sweep()
    expect(nowhere?.reports).toMatchObject([
      {
        error: expect.stringMatching(/^acme\/shop has no webhook for the given URL: check --public-url/),
      },
    ])
  })
})

describe('a delivery that fails again', () => {
  test('is requested again after longer and longer waits', async () => {
    const scene = await Scene.open()
    await scene.stopListening()
    await pushes(scene, 1)
    const recovery = scene.recovery()
    const sweepOnce = async () => {
      await recovery.sweep()
      await scene.github.idle()
      const [missed] = await scene.inbox.missedDeliveries()
      return [missed?.state, missed?.requests]
    }
    expect(await sweepOnce()).toEqual(['requested', 1])
    expect(await sweepOnce()).toEqual(['missed', 1]) // it failed again, and is not due yet
    await agedBy(scene, 400_000)
    expect(await sweepOnce()).toEqual(['requested', 2])
    await agedBy(scene, 400_000)
    expect(await sweepOnce()).toEqual(['missed', 2])
    await agedBy(scene, 400_000)
    expect(await sweepOnce()).toEqual(['requested', 3])
  })

  test('expires when GitHub no longer keeps it', async () => {
    const scene = await Scene.open()
    await scene.stopListening()
    await pushes(scene, 1)
    const [missed] = (await scene.recovery().sweep({ dryRun: true }))?.missedDeliveries ?? []
    expect(missed?.expiresAt).toBe((missed?.deliveredAt ?? 0) + 3 * 24 * hour)
    const old = {
      ...(missed as MissedDelivery),
      state: 'requested',
      requests: 9,
      requestedAt: 1,
      expiresAt: Date.now() - 1,
    } as const
    await scene.inbox.saveMissedDeliveries([{ ...old, guid: 'that the log has no more' }])
    expect((await scene.recovery().sweep())?.reports).toMatchObject([
      { fetched: 1, counts: { expired: 1, requested: 1, missed: 0 } },
    ])
  })

  test('is requested as long as GitHub keeps its latest attempt', async () => {
    const scene = await Scene.open()
    await lookbackByGitHub(scene.inbox, scene.github.clock.now())
    await scene.stopListening()
    await pushes(scene, 1)
    const sweepAfter = async (days: number) => {
      scene.github.clock.advance(days * 24 * hour)
      const swept = await scene.recovery().sweep({ thorough: true })
      await scene.github.idle()
      return swept?.missedDeliveries.map(({ state, requests }) => [state, requests])
    }
    expect(await sweepAfter(2)).toEqual([['requested', 1]])
    expect(await sweepAfter(0.9)).toEqual([['requested', 2]])
    await scene.startListening()
    expect(await sweepAfter(2.8)).toEqual([['requested', 3]])
    await scene.allHandled()
    expect([...scene.handled.values()]).toEqual([1])
  })

  test('stays missed if GitHub answers 404 but lists it, and the report names the missing permission', async () => {
    const scene = await Scene.open()
    await scene.stopListening()
    await pushes(scene, 2)
    await scene.startListening()
    scene.github.failAt(/^POST/, { status: 404, body: { message: 'Not Found' } })
    const swept = await scene.recovery().sweep()
    expect(swept?.reports).toMatchObject([
      { counts: { missed: 1, requested: 1 }, error: expect.stringContaining('still has the permission "Webhooks"') },
    ])
  })

  test('is not requested again while it may still arrive', async () => {
    const scene = await Scene.open()
    await scene.stopListening()
    await pushes(scene, 1)
    const [missed] = (await scene.recovery().sweep())?.missedDeliveries ?? []
    await scene.github.idle()
    // Simulates a redelivery that is still on its way. When a redelivery has arrived or failed, GitHub's log gets a new
    // entry. So this test sets `deliveryId` to the newest entry: the sweep then finds no new entry in the log.
    const onItsWay = {
      ...missed,
      state: 'requested' as const,
      deliveryId: scene.github.deliveries(scene.hook).at(-1)?.id ?? 0,
    }
    await scene.inbox.saveMissedDeliveries([onItsWay as never])
    const posts = () => scene.github.requests.filter(({ method }) => method === 'POST').length
    const before = posts()
    await scene.recovery().sweep()
    expect(posts()).toBe(before)
  })
})

/** Moves the requests of all missed deliveries into the past. */
async function agedBy(scene: Scene, ms: number): Promise<void> {
  const missedDeliveries = await scene.inbox.missedDeliveries()
  await scene.inbox.saveMissedDeliveries(
    missedDeliveries.map((missed) => ({ ...missed, requestedAt: (missed.requestedAt ?? 0) - ms })),
  )
}

describe('a delivery that GitHub shows as delivered, but that the inbox does not have', () => {
  test('is unrecorded, and requested with includeOk', async () => {
    const scene = await Scene.open()
    scene.github.record(scene.hook, [{ event: 'push' }])
    expect((await scene.recovery().sweep())?.reports).toMatchObject([{ counts: { unrecorded: 1, requested: 0 } }])
    expect(scene.calls).not.toHaveProperty('POST')
    expect((await scene.recovery({ includeOk: true }).sweep())?.reports).toMatchObject([
      { counts: { unrecorded: 0, requested: 1 } },
    ])
    await scene.github.idle()
    await scene.allHandled()
    expect(scene.handled.size).toBe(1)
  })
})

describe('a sweep', () => {
  test('with dryRun records nothing', async () => {
    const scene = await Scene.open()
    await scene.stopListening()
    await pushes(scene, 2)
    const swept = await scene.recovery().sweep({ dryRun: true })
    expect(swept?.missedDeliveries.map(({ state }) => state)).toEqual(['missed', 'missed'])
    expect([await scene.inbox.missedDeliveries(), await lastSweep(scene.inbox)]).toEqual([[], undefined])
    expect(scene.github.requests.filter(({ method }) => method === 'POST')).toEqual([])
    expect(await scene.inbox.getValue("time of creation by GitHub's clock")).toBeUndefined()
  })

  test('records nothing after another process has acquired the lease', async () => {
    const scene = await Scene.open()
    await scene.stopListening()
    await pushes(scene, 2)
    const lease = vi.spyOn(scene.inbox, 'lease').mockResolvedValueOnce(true).mockResolvedValue(false)
    onTestFinished(() => lease.mockRestore())
    const swept = await scene.recovery({ leaseTtl: 1 }).sweep()
    expect(swept?.reports).toMatchObject([{ error: 'Another process has taken over this recovery sweep' }])
    expect([await scene.inbox.missedDeliveries(), await lastSweep(scene.inbox)]).toEqual([[], undefined])
    const hookId = String(scene.hook.id)
    expect(await scene.inbox.getValue(`recovery cursor of webhook ${hookId}`)).toBeUndefined()
    expect(scene.github.requests.filter(({ method }) => method === 'POST')).toEqual([])
  })

  test('runs in one process at a time, and all processes can read its report', async () => {
    const scene = await Scene.open()
    await scene.stopListening()
    await pushes(scene, 30)
    await scene.startListening()
    const other = openInbox(scene.file)
    const both = await Promise.all([scene.recovery().sweep(), scene.recovery({ inbox: other }).sweep()])
    expect(both.filter((swept) => swept !== undefined)).toHaveLength(1)
    await scene.github.idle()
    await scene.allHandled()
    expect([...scene.handled.values()]).toEqual(Array(30).fill(1))
    expect((await lastSweep(other))?.reports).toMatchObject([{ target: 'acme/shop', counts: { requested: 30 } }])
    expect(await scene.recovery({ inbox: other }).sweep()).toBeDefined()
  })

  test('ends without an error if the lease cannot be released, which then expires', async () => {
    const scene = await Scene.open()
    await scene.stopListening()
    await pushes(scene, 2)
    const renew = scene.inbox.lease.bind(scene.inbox)
    const lease = vi.spyOn(scene.inbox, 'lease').mockImplementation(async (name, holder, ms) => {
      if (ms === 0) throw new Error('The connection was lost')
      return renew(name, holder, ms)
    })
    onTestFinished(() => lease.mockRestore())
    expect((await scene.recovery().sweep())?.reports).toMatchObject([{ fetched: 2 }])
  })

  test('keeps the report of a webhook that fails while a process sweeps another one of the same repository', async () => {
    const scene = await Scene.open()
    await scene.recovery({ targets: [{ repository: 'acme/shop', id: '1' }] }).sweep()
    await scene.recovery().sweep()
    expect((await lastSweep(scene.inbox))?.reports).toMatchObject([
      { target: 'acme/shop', hookId: '1', error: expect.stringContaining('no such webhook (404)') },
      { target: 'acme/shop', hookId: String(scene.hook.id), sent: 0 },
    ])
  })

  test('keeps the reports of processes that sweep other webhooks, until they are late', async () => {
    const scene = await Scene.open()
    const hookId = String(scene.addHook({ organization: 'acme' }).id)
    const [shop, acme] = [scene.recovery(), scene.recovery({ targets: [{ organization: 'acme', id: hookId }] })]
    const reports = async () => (await lastSweep(scene.inbox))?.reports.map(({ target, at }) => ({ target, at })) ?? []
    await shop.sweep()
    const [first] = await reports()
    await acme.sweep()
    expect(await reports()).toMatchObject([first, { target: 'acme' }])
    await shop.sweep()
    expect((await reports()).map(({ target }) => target)).toEqual(['acme', 'acme/shop'])
    const now = vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 3 * 300_000 + 60_000)
    onTestFinished(() => now.mockRestore())
    await shop.sweep()
    expect((await reports()).map(({ target }) => target)).toEqual(['acme/shop'])
  })

  test('drops the report of a target whose webhooks were not found, once they are found', async () => {
    const scene = await Scene.open()
    const targets = [{ repository: 'acme/shop' }]
    await scene.recovery({ targets, publicUrl: 'https://elsewhere.example/' }).sweep()
    expect((await lastSweep(scene.inbox))?.reports).toMatchObject([{ error: expect.any(String) }])
    await scene.recovery({ targets }).sweep()
    expect((await lastSweep(scene.inbox))?.reports.map(({ error }) => error)).toEqual([undefined])
  })

  test('continues after rate limits, 502 and cut connections', async () => {
    const scene = await Scene.open()
    await scene.stopListening()
    await pushes(scene, 10)
    await scene.startListening()
    scene.github.failAt(/^POST/, { status: 403, headers: { 'retry-after': '1' } }, { status: 502 }, 'cut')
    scene.github.failAt(/^GET/, { status: 502 })
    const swept = await scene.recovery({ retryPolicy: fastRetries }).sweep()
    expect(swept?.reports[0]).not.toHaveProperty('error')
    await scene.github.idle()
    await scene.allHandled()
    expect([...scene.handled.values()]).toEqual(Array(10).fill(1))
  })

  test.each([
    ['a token that GitHub rejects', 401, /rejected the token/],
    ['a limit that lasts too long', 429, /429|limit/i],
  ])('reports why it failed: %s', async (_what, status, expected) => {
    const scene = await Scene.open()
    scene.github.failAt(/^GET/, { status, headers: { 'retry-after': '7200' }, body: { message: 'rate limit' } })
    expect((await scene.recovery().sweep())?.reports[0]?.error).toMatch(expected)
    expect((await scene.recovery().sweep())?.reports[0]).not.toHaveProperty('error')
  })

  test('ends without an error when recovery stops', async () => {
    const scene = await Scene.open()
    await scene.stopListening()
    const [guid] = await pushes(scene, 1)
    await scene.startListening()
    const recovery = scene.recovery({ pace: 1e6 })
    recovery.start()
    await scene.github.idle()
    await recovery.stop()
    expect(scene.recorder.lines.filter(({ level }) => level === 'error')).toEqual([])
    expect(guid).toBeDefined()
  })
})

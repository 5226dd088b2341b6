import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { GitHubClient } from '../../../src/github/github-client.ts'
import { defaultRetryPolicy } from '../../../src/github/requester.ts'
import { childLogger } from '../../../src/telemetry/logger.ts'
import type { LocalDelivery } from '../../../src/testing/index.ts'
import { eventually, openInbox, stateIn, storeIn } from '../../inbox/stores.ts'
import { Recorder } from '../../recorder.ts'
import { nowhere, PollingScene } from '../polling-scene.ts'

const hour = 3_600_000

/** The deliveries of the inbox, in order of receipt. */
async function deliveriesIn({ inbox }: PollingScene) {
  return (await inbox.list({ limit: 500 })).deliveries.toReversed()
}

const guidsIn = async (scene: PollingScene) => (await deliveriesIn(scene)).map(({ guid }) => guid)

const requestsOf = ({ github }: PollingScene) => github.requests.map(({ status, path }) => `${status} ${kindOf(path)}`)

const kindOf = (path: string) => (/deliveries\/\d+$/.test(path) ? 'delivery' : 'log')

/** Requests a redelivery of the last delivery in the log. */
async function redeliver(scene: PollingScene): Promise<void> {
  const { id } = scene.github.deliveries(scene.hook).at(-1) as { id: string }
  await scene.requester().request(`POST /repos/acme/shop/hooks/${scene.hook.id}/deliveries/${id}/attempts`)
  await scene.github.idle()
}

describe('deliveries in the delivery log', () => {
  test('are stored as they appear, once each and in order, and handled', async () => {
    const scene = await PollingScene.open()
    const poll = scene.poll()
    const guids = [await scene.push(), await scene.push()]
    await poll.turn()
    guids.push(await scene.push(), await scene.push(), await scene.push())
    await poll.turn()
    await poll.turn()
    await scene.allHandled()
    expect(await guidsIn(scene)).toEqual(guids)
    expect([...scene.handled]).toEqual(guids.map((guid) => [guid, 1]))
    expect((await deliveriesIn(scene))[0]).toMatchObject({
      event: 'push',
      pulled: true,
      hookId: String(scene.hook.id),
    })
    expect(poll.waits).toEqual([10_000, 10_000, 10_000])
  })

  test('are stored with any result', async () => {
    const scene = await PollingScene.open()
    const codes = [200, 302, 404, 502, 504]
    const sent = scene.github.record(
      scene.hook,
      codes.map((statusCode) => ({ event: 'push', statusCode })),
    )
    await scene.poll().turn()
    expect(await guidsIn(scene)).toEqual(sent.map(({ guid }) => guid))
  })

  test('are stored with the payload that GitHub sent', async () => {
    const scene = await PollingScene.open()
    await scene.push({ after: '☃' })
    await scene.poll().turn()
    const body = JSON.parse(new TextDecoder().decode(await scene.inbox.body(1)))
    expect(body).toEqual(scene.github.deliveries(scene.hook)[0]?.request.payload)
    expect(body.after).toBe('☃')
  })

  test('are stored from all pages, even if a delivery appears late behind a whole page', async () => {
    const scene = await PollingScene.open()
    const deliveredAt = Date.now() + 60_000
    scene.github.record(
      scene.hook,
      Array.from({ length: 250 }, () => ({ event: 'push', deliveredAt })),
    )
    const poll = scene.poll()
    await poll.turn()
    expect(await guidsIn(scene)).toEqual(scene.github.deliveries(scene.hook).map(({ guid }) => guid))
    const [late] = scene.github.record(scene.hook, [{ event: 'push', deliveredAt: deliveredAt - 30_000 }])
    await poll.turn()
    expect((await guidsIn(scene)).at(-1)).toBe(late?.guid)
    expect((await guidsIn(scene)).length).toBe(251)
  })

  test('are not stored if they are older than the inbox', async () => {
    const scene = await PollingScene.open()
    const createdAt = await scene.inbox.createdAt()
    scene.github.record(scene.hook, [{ event: 'push', deliveredAt: createdAt - 5000 }])
    const guid = await scene.push()
    await scene.poll().turn()
    expect(await guidsIn(scene)).toEqual([guid])
  })

  test('do not block other deliveries if GitHub does not show them', async () => {
    const scene = await PollingScene.open()
    const [, second] = [await scene.push(), await scene.push()]
    scene.github.failAt(/deliveries\/\d+$/, { status: 404, body: { message: 'Not Found' } })
    const poll = scene.poll()
    await poll.turn()
    expect(await guidsIn(scene)).toEqual([second])
    expect(poll.recorder.messages.join()).toContain('GitHub lists it, but does not show it (404)')
  })
})

describe('polling', () => {
  test('sends no request that counts against the limit while nothing happens, and two for a delivery', async () => {
    const scene = await PollingScene.open({ limits: { authorized: 5000 } })
    const poll = scene.poll()
    for (let turns = 0; turns < 4; turns++) await poll.turn()
    expect(requestsOf(scene)).toEqual(['200 log', '304 log', '304 log', '304 log'])
    expect(scene.github.remaining.authorized).toBe(4999)
    await scene.push()
    await poll.turn()
    await poll.turn()
    expect(requestsOf(scene).slice(4)).toEqual(['200 log', '200 delivery', '304 log'])
    expect(scene.github.remaining.authorized).toBe(4997)
  })

  test('does not read a delivery that the inbox already has', async () => {
    const scene = await PollingScene.open()
    const guid = await scene.push()
    await redeliver(scene)
    await storeIn(scene.inbox, {}, { guid, hookId: String(scene.hook.id) })
    scene.github.requests.length = 0
    await scene.poll().turn()
    expect(requestsOf(scene)).toEqual(['200 log'])
  })

  test('spreads the remaining requests until the rate limit resets, if few remain', async () => {
    const scene = await PollingScene.open({ limits: { authorized: 1000, points: 1e9 } })
    Object.assign(scene.github.remaining, { authorized: 41 })
    scene.github.resetAt = scene.github.clock.now() + hour
    const poll = scene.poll()
    expect(Math.round((await poll.turn()) / 1000)).toBe(hour / 1000 / 40)
    await Promise.all([scene.push(), scene.push()])
    // The process also waits before it reads each of the two deliveries.
    expect(Math.round((await poll.turn()) / 1000)).toBe(Math.round(hour / 1000 / 39))
    expect(Math.round((await poll.turn()) / 1000)).toBe(Math.round(hour / 1000 / 38))
    await poll.turn()
    expect((await guidsIn(scene)).length).toBe(2)
    scene.github.clock.advance(hour)
    await scene.push()
    await poll.turn()
    expect(await poll.turn()).toBe(10_000)
  })

  test('shares the rate limit between all webhooks', async () => {
    const scene = await PollingScene.open({ limits: { authorized: 1000, points: 1e9 } })
    Object.assign(scene.github.remaining, { authorized: 41 })
    scene.github.resetAt = scene.github.clock.now() + hour
    const one = { repository: 'acme/shop', id: String(scene.hook.id) }
    const poll = scene.poll({ targets: [one, { organization: 'unknown', id: '1' }] })
    await poll.turn()
    await eventually(() => expect(Math.max(...poll.waits)).toBeGreaterThan((2 * hour) / 41))
  })
})

describe('a restart', () => {
  test('continues at the cursor, and stores what GitHub sent meanwhile', async () => {
    const scene = await PollingScene.open()
    const first = scene.poll()
    const guids = [await scene.push(), await scene.push()]
    await first.turn()
    await first.stop()
    guids.push(await scene.push(), await scene.push(), await scene.push())
    scene.github.requests.length = 0
    await scene.poll({ inbox: openInbox(scene.file) }).turn()
    expect(requestsOf(scene)).toEqual(['200 log', '200 delivery', '200 delivery', '200 delivery'])
    expect(await guidsIn(scene)).toEqual(guids)
  })

  test('stores no redelivery twice', async () => {
    const scene = await PollingScene.open()
    const first = scene.poll()
    const guid = await scene.push()
    await first.turn()
    const later = Date.now() + hour // so late that the restart reads only this entry of the log
    scene.github.record(scene.hook, [{ event: 'push', guid, redelivery: true, deliveredAt: later }])
    await first.turn()
    await first.stop()
    expect((await deliveriesIn(scene))[0]?.duplicates).toBe(1)
    scene.github.requests.length = 0
    await scene.poll({ inbox: openInbox(scene.file) }).turn()
    expect(requestsOf(scene)).toEqual(['200 log'])
  })

  test('continues with the first delivery that the stopped process has not stored', async () => {
    const scene = await PollingScene.open()
    const guids: string[] = []
    for (let count = 0; count < 4; count++) guids.push(await scene.push())
    const first = scene.poll()
    const third = scene.github.deliveries(scene.hook)[2]?.id
    scene.github.failAt(new RegExp(`deliveries/${third}$`), 'hang')
    const turn = first.turn()
    await eventually(async () => expect(requestsOf(scene)).toHaveLength(4))
    await first.stop()
    void turn
    scene.github.requests.length = 0
    await scene.poll({ inbox: openInbox(scene.file) }).turn()
    expect(requestsOf(scene)).toEqual(['200 log', '200 delivery', '200 delivery'])
    expect(await guidsIn(scene)).toEqual(guids)
  })
})

describe('a redelivery', () => {
  test('is a duplicate', async () => {
    const scene = await PollingScene.open()
    const poll = scene.poll()
    const guid = await scene.push()
    await poll.turn()
    await redeliver(scene)
    await poll.turn()
    await scene.allHandled()
    expect((await deliveriesIn(scene)).map(({ guid, duplicates }) => [guid, duplicates])).toEqual([[guid, 1]])
    expect([...scene.handled]).toEqual([[guid, 1]])
  })

  test('is read once if the inbox does not have the delivery', async () => {
    const scene = await PollingScene.open()
    await scene.push()
    await redeliver(scene)
    scene.github.requests.length = 0
    await scene.poll().turn()
    expect(requestsOf(scene)).toEqual(['200 log', '200 delivery'])
  })

  test('runs a dead delivery again', async () => {
    const scene = await PollingScene.open()
    let broken = true
    const handler = () => {
      if (broken) throw new Error('broken')
    }
    scene.hooks.on('push', { name: 'breaks', attempts: 1 }, handler)
    const poll = scene.poll()
    await scene.push()
    await poll.turn()
    await eventually(async () => expect(await stateIn(scene.inbox, 1)).toBe('dead'))
    broken = false
    await redeliver(scene)
    await poll.turn()
    await eventually(async () => expect(await stateIn(scene.inbox, 1)).toBe('done'))
  })
})

describe('a failure', () => {
  const levels = ({ recorder }: ReturnType<PollingScene['poll']>) =>
    recorder.lines
      .filter(({ level }) => level === 'error' || level === 'info')
      .map(({ level, message }) => [level, message])

  test('is logged once, its end is logged too, and the waits become longer and longer', async () => {
    const scene = await PollingScene.open()
    const poll = scene.poll()
    await poll.turn()
    const failures = Array.from({ length: 10 }, () => [{ status: 502 }, 'cut' as const]).flat()
    scene.github.failAt(/^GET/, ...failures)
    const guid = await scene.push()
    const quickly = [1000, 4000, 10_000]
    for (let pauses = 0; pauses < 20; pauses++) await poll.turn()
    const waits = [10_000, 20_000, 40_000, 60_000, 60_000].flatMap((wait) => [...quickly, wait])
    expect(poll.waits.slice(1)).toEqual(waits)
    expect(await poll.turn()).toBe(10_000)
    expect(await guidsIn(scene)).toEqual([guid])
    expect(levels(poll)).toEqual([
      ['info', `GitHub's delivery log of acme/shop#${scene.hook.id} can be read`],
      ['error', expect.stringMatching(/^Cannot fetch the deliveries of acme\/shop#\d+: /)],
      ['info', `GitHub's delivery log of acme/shop#${scene.hook.id} can be read again`],
    ])
  })

  test('is logged again if its reason changes', async () => {
    const scene = await PollingScene.open()
    const poll = scene.poll({ retryPolicy: { ...defaultRetryPolicy, retries: [] } })
    const reasons = [{ status: 502 }, { status: 502 }, { status: 401 }, { status: 401 }]
    scene.github.failAt(/^GET/, ...reasons)
    for (const _ of reasons) await poll.turn()
    const target = `acme/shop#${scene.hook.id}`
    expect(poll.polling.failures).toEqual([{ target, error: expect.stringContaining('token (401)') }])
    await poll.turn()
    expect(poll.polling.failures).toEqual([])
    expect(levels(poll).slice(0, 2)).toEqual([
      ['error', expect.stringContaining('GitHub answered 502')],
      ['error', expect.stringContaining('GitHub rejected the token (401)')],
    ])
  })

  test('between two deliveries of the log loses no delivery, and reads none twice', async () => {
    const scene = await PollingScene.open()
    const guids = [await scene.push(), await scene.push(), await scene.push()]
    const second = scene.github.deliveries(scene.hook)[1]?.id
    scene.github.failAt(new RegExp(`deliveries/${second}$`), { status: 401 })
    const poll = scene.poll()
    await poll.turn()
    expect(await guidsIn(scene)).toEqual(guids.slice(0, 1))
    expect(poll.recorder.messages.at(-1)).toContain('rejected the token (401)')
    await poll.turn()
    expect(await guidsIn(scene)).toEqual(guids)
    expect(requestsOf(scene).filter((one) => one === '200 delivery')).toHaveLength(3)
  })

  test.each([
    ['retry-after', { 'retry-after': '600' }, 600],
    ['the reset of the rate limit', { 'x-ratelimit-limit': '5000', 'x-ratelimit-remaining': '0' }, 1800],
  ])('because of a rate limit causes a wait as long as GitHub says: %s', async (_what, headers, expected) => {
    const scene = await PollingScene.open()
    scene.github.clock.advance(7 * hour) // our clock may be wrong
    const reset = String(Math.floor(scene.github.clock.now() / 1000) + 1800)
    scene.github.failAt(/^GET/, {
      status: 403,
      headers: { ...headers, 'x-ratelimit-reset': reset },
      body: { message: 'too much' },
    })
    const poll = scene.poll()
    expect(Math.round((await poll.turn()) / 10_000)).toBe(expected / 10)
    expect(poll.recorder.messages).toEqual([expect.stringContaining('GitHub rejected the request (403): too much')])
    expect(await poll.turn()).toBe(10_000)
  })
})

describe('two processes with one inbox', () => {
  test('poll one at a time, and the second takes over from the first', async () => {
    const scene = await PollingScene.open()
    const one = scene.poll()
    const other = scene.poll({ inbox: openInbox(scene.file) })
    const guids = [await scene.push()]
    await one.turn()
    scene.github.requests.length = 0
    expect([await other.turn(), await other.turn()]).toEqual([10_000, 10_000])
    expect(requestsOf(scene)).toEqual([])
    const waits = 'Another process polls the deliveries of'
    expect(other.recorder.messages).toEqual([expect.stringContaining(`${waits} acme/shop#${scene.hook.id}`)])
    guids.push(await scene.push())
    await one.turn()
    await one.stop()
    guids.push(await scene.push())
    scene.github.requests.length = 0
    await other.turn()
    expect(requestsOf(scene)).toEqual(['200 log', '200 delivery'])
    expect(await guidsIn(scene)).toEqual(guids)
  })

  test('move the cursor only while they hold the lease', async () => {
    const scene = await PollingScene.open()
    const { inbox } = scene
    const one = scene.poll()
    await one.turn()
    await scene.push()
    const setValue = vi.spyOn(inbox, 'setValue')
    const [knownGuids, now] = [inbox.knownGuids.bind(inbox), performance.now.bind(performance)]
    vi.spyOn(inbox, 'knownGuids').mockImplementationOnce((lookup) => {
      vi.spyOn(performance, 'now').mockImplementation(() => now() + 150_000) // the machine was suspended
      vi.spyOn(inbox, 'lease').mockResolvedValue(false)
      return knownGuids(lookup)
    })
    onTestFinished(() => void vi.restoreAllMocks())
    await one.turn()
    expect(setValue).not.toHaveBeenCalled()
  })
})

describe('the webhook', () => {
  test('needs no id if it is the only one of its target', async () => {
    const scene = await PollingScene.open()
    const guid = await scene.push()
    await scene.poll({ targets: [{ repository: 'acme/shop' }] }).turn()
    expect(await guidsIn(scene)).toEqual([guid])
  })

  test('stays the same if the target gets another one meanwhile', async () => {
    const scene = await PollingScene.open()
    const poll = scene.poll({ targets: [{ repository: 'acme/shop' }] })
    await poll.turn()
    scene.github.addHook({ repository: 'acme/shop', url: nowhere, events: ['issues'] })
    scene.github.failAt(/^GET/, { status: 401 })
    await poll.turn()
    const guid = await scene.push()
    await poll.turn()
    expect(await guidsIn(scene)).toEqual([guid])
  })

  test('is looked up again if it was deleted', async () => {
    const scene = await PollingScene.open()
    const poll = scene.poll({ targets: [{ repository: 'acme/shop' }] })
    await poll.turn()
    scene.github.failAt(/deliveries/, { status: 404 })
    await poll.turn()
    scene.github.requests.length = 0
    await poll.turn()
    expect(scene.github.requests[0]?.path).toContain('/hooks?')
  })

  test('needs an id if the target has several', async () => {
    const scene = await PollingScene.open()
    const other = scene.github.addHook({ repository: 'acme/shop', url: 'https://user:key@ci.example/hook?key=secret' })
    const poll = scene.poll({ targets: [{ repository: 'acme/shop' }] })
    await poll.turn()
    expect(poll.recorder.lines).toMatchObject([{ level: 'error' }])
    expect(poll.recorder.messages[0]).toBe(
      'Cannot fetch the deliveries of acme/shop: acme/shop has 2 webhooks. Choose one by its id: ' +
        `acme/shop#${scene.hook.id} (127.0.0.1:9), acme/shop#${other.id} (ci.example)`,
    )
  })

  test.each([
    ['there is none', { repository: 'acme/empty' }, 'acme/empty has no webhook'],
    ['there is none with its id', { repository: 'acme/shop', id: '1' }, 'GitHub shows no such webhook (404)'],
    ['its owner is unknown', { organization: 'unknown' }, 'GitHub shows no webhooks of unknown (404)'],
  ])('cannot be polled, and the log says why, if %s', async (_what, target, expected) => {
    const scene = await PollingScene.open()
    scene.github.addRepository('acme/empty')
    const poll = scene.poll({ targets: [target] })
    await poll.turn()
    expect(poll.recorder.messages[0]).toContain(expected)
  })

  /** A webhook of a new App, and the settings to poll it. */
  function addAppHook({ github }: PollingScene, id: number) {
    const app = github.addApp({ id })
    const hook = github.addHook({ app, url: nowhere })
    const credentials = { apiUrl: github.url, app, token: undefined, logger: childLogger(new Recorder()) }
    const client = new GitHubClient(credentials)
    const targets: ['app'] = ['app']
    return {
      hook,
      settings: { targets, connect: client.requesterFor.bind(client), namespaceOf: client.namespaceOf.bind(client) },
    }
  }

  test('of an App is polled as the App, and a 304 is not logged', async () => {
    const scene = await PollingScene.open()
    const { hook, settings } = addAppHook(scene, 3)
    const poll = scene.poll(settings)
    await poll.turn()
    const guid = scene.github.record(hook, [{ event: 'issues.opened' }])[0]?.guid
    await poll.turn()
    expect((await deliveriesIn(scene)).map(({ guid, hookId }) => [guid, hookId])).toEqual([[guid, String(hook.id)]])
    // An App has another token in each second, and so another ETag.
    await expect.poll(() => poll.turn().then(() => scene.github.requests.at(-1)?.status)).toBe(304)
    expect(poll.recorder.lines.filter(({ level }) => level !== 'debug' && level !== 'info')).toEqual([])
  })

  test('of one App is polled while another process polls that of another App', async () => {
    const scene = await PollingScene.open()
    const [first, second] = [addAppHook(scene, 1), addAppHook(scene, 2)]
    const guids = [first, second].flatMap(({ hook }) => scene.github.record(hook, [{ event: 'issues.opened' }]))
    await scene.poll(first.settings).turn()
    await scene.poll(second.settings).turn()
    expect(await guidsIn(scene)).toEqual(guids.map(({ guid }) => guid))
  })

  test('of one App does not retry the missed deliveries of another App', async () => {
    const scene = await PollingScene.open()
    const [first, second] = [addAppHook(scene, 1), addAppHook(scene, 2)]
    const [missed] = scene.github.record(first.hook, [{ event: 'issues.opened' }, { event: 'issues.deleted' }])
    scene.github.overrideEntry(missed as LocalDelivery, { single: { status: 404 } })
    const before = scene.poll(first.settings)
    await before.turn()
    await before.stop()
    const due = (await scene.inbox.missedDeliveries()).map((one) => ({ ...one, requestedAt: Date.now() - 3_600_000 }))
    expect(due).toMatchObject([{ guid: missed?.guid, state: 'missed', requests: 1 }])
    await scene.inbox.saveMissedDeliveries(due)
    scene.github.record(second.hook, [{ event: 'issues.opened' }])
    await scene.poll(second.settings).turn()
    expect(await scene.inbox.missedDeliveries()).toEqual(due)
    scene.github.overrideEntry(missed as LocalDelivery, {})
    await scene.poll(first.settings).turn()
    expect(await scene.inbox.missedDeliveries()).toMatchObject([{ state: 'received', requests: 2 }])
  })

  test('of an App that replaces another App is read with its own id', async () => {
    const scene = await PollingScene.open()
    const [first, second] = [addAppHook(scene, 1), addAppHook(scene, 2)]
    scene.github.record(first.hook, [{ event: 'issues.opened' }])
    const before = scene.poll(first.settings)
    await before.turn()
    await before.stop()
    const guids = scene.github.record(second.hook, Array(3).fill({ event: 'issues.opened' })).map(({ guid }) => guid)
    scene.github.requests.length = 0
    const poll = scene.poll(second.settings)
    for (let turn = 0; turn < 3; turn++) {
      await poll.turn()
      guids.push(...scene.github.record(second.hook, [{ event: 'issues.opened' }]).map(({ guid }) => guid))
    }
    expect((await deliveriesIn(scene)).slice(1).map(({ guid, hookId }) => [guid, hookId])).toEqual(
      guids.slice(0, -1).map((guid) => [guid, String(second.hook.id)]),
    )
    const shown = requestsOf(scene).filter((request) => request === '200 delivery')
    expect(shown).toHaveLength(1 + guids.length - 1) // one of them to find the id of the webhook
  })
})

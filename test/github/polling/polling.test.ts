import { describe, expect, test } from 'vitest'
import { GitHubClient } from '../../../src/github/github-client.ts'
import { childLogger } from '../../../src/telemetry/logger.ts'
import { eventually, openInbox, stateIn, storeIn } from '../../inbox/stores.ts'
import { Recorder } from '../../recorder.ts'
import { nowhere, PullScene } from '../polling-scene.ts'

const hour = 3_600_000

/** All that the inbox holds, in order of receipt. */
async function heldIn({ inbox }: PullScene) {
  return (await inbox.list({ limit: 500 })).deliveries.toReversed()
}

const guidsIn = async (scene: PullScene) => (await heldIn(scene)).map(({ guid }) => guid)

const asked = ({ github }: PullScene) => github.requests.map(({ status, path }) => `${status} ${kindOf(path)}`)

const kindOf = (path: string) => (/deliveries\/\d+$/.test(path) ? 'delivery' : 'log')

/** Has GitHub deliver again what it delivered last. */
async function redeliver(scene: PullScene): Promise<void> {
  const { id } = scene.github.deliveries(scene.hook).at(-1) as { id: number }
  await scene.requester().request(`POST /repos/acme/shop/hooks/${scene.hook.id}/deliveries/${id}/attempts`)
  await scene.github.idle()
}

describe('deliveries that reach nobody', () => {
  test('come in as they appear, once each and in order, and are handled', async () => {
    const scene = await PullScene.open()
    const poll = scene.poll()
    const guids = [await scene.push(), await scene.push()]
    await poll.turn()
    guids.push(await scene.push(), await scene.push(), await scene.push())
    await poll.turn()
    await poll.turn()
    await scene.allHandled()
    expect(await guidsIn(scene)).toEqual(guids)
    expect([...scene.handled]).toEqual(guids.map((guid) => [guid, 1]))
    expect((await heldIn(scene))[0]).toMatchObject({ event: 'push', recovered: true, hookId: String(scene.hook.id) })
    expect(poll.waits).toEqual([10_000, 10_000, 10_000])
  })

  test('come in whether GitHub shows them as delivered or not', async () => {
    const scene = await PullScene.open()
    const codes = [200, 302, 404, 502, 504]
    const sent = scene.github.record(
      scene.hook,
      codes.map((statusCode) => ({ event: 'push', statusCode })),
    )
    await scene.poll().turn()
    expect(await guidsIn(scene)).toEqual(sent.map(({ guid }) => guid))
  })

  test('come in with the payload that was sent', async () => {
    const scene = await PullScene.open()
    await scene.push({ after: '☃' })
    await scene.poll().turn()
    const body = JSON.parse(new TextDecoder().decode(await scene.inbox.body(1)))
    expect(body).toEqual(scene.github.deliveries(scene.hook)[0]?.request.payload)
    expect(body.after).toBe('☃')
  })

  test('come in from page after page, also what shows up late behind a whole page', async () => {
    const scene = await PullScene.open()
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

  test('of before the inbox was made are left alone', async () => {
    const scene = await PullScene.open()
    const born = await scene.inbox.createdAt()
    scene.github.record(scene.hook, [{ event: 'push', deliveredAt: born - 5000 }])
    const guid = await scene.push()
    await scene.poll().turn()
    expect(await guidsIn(scene)).toEqual([guid])
  })

  test('and that GitHub has forgotten meanwhile keep no other from coming in', async () => {
    const scene = await PullScene.open()
    const [, second] = [await scene.push(), await scene.push()]
    scene.github.failAt(/deliveries\/\d+$/, { status: 404, body: { message: 'Not Found' } })
    const poll = scene.poll()
    await poll.turn()
    expect(await guidsIn(scene)).toEqual([second])
    expect(poll.recorder.messages.join()).toContain('GitHub does not keep it any more')
  })
})

describe('what it costs', () => {
  test('is nothing while nothing happens, and two calls for a delivery', async () => {
    const scene = await PullScene.open({ limits: { authorized: 5000 } })
    const poll = scene.poll()
    for (let turns = 0; turns < 4; turns++) await poll.turn()
    expect(asked(scene)).toEqual(['200 log', '304 log', '304 log', '304 log'])
    expect(scene.github.remaining.authorized).toBe(4999)
    await scene.push()
    await poll.turn()
    await poll.turn()
    expect(asked(scene).slice(4)).toEqual(['200 log', '200 delivery', '304 log'])
    expect(scene.github.remaining.authorized).toBe(4997)
  })

  test('is no call for what the inbox has by another way', async () => {
    const scene = await PullScene.open()
    const guid = await scene.push()
    await redeliver(scene)
    await storeIn(scene.inbox, {}, { guid, hookId: String(scene.hook.id) })
    scene.github.requests.length = 0
    await scene.poll().turn()
    expect(asked(scene)).toEqual(['200 log'])
  })

  test('is spread until the limit begins anew, when little is left', async () => {
    const scene = await PullScene.open({ limits: { authorized: 1000, points: 1e9 } })
    Object.assign(scene.github.remaining, { authorized: 41 })
    scene.github.resetAt = scene.github.clock.now() + hour
    const poll = scene.poll()
    expect(Math.round((await poll.turn()) / 1000)).toBe(hour / 1000 / 40)
    await Promise.all([scene.push(), scene.push()])
    expect(Math.round((await poll.turn()) / 1000)).toBe(Math.round(hour / 1000 / 39)) // before each that is fetched
    expect(Math.round((await poll.turn()) / 1000)).toBe(Math.round(hour / 1000 / 38))
    await poll.turn()
    expect((await guidsIn(scene)).length).toBe(2)
    scene.github.clock.advance(hour)
    await scene.push()
    await poll.turn()
    expect(await poll.turn()).toBe(10_000)
  })

  test('is shared by all hooks that are polled', async () => {
    const scene = await PullScene.open({ limits: { authorized: 1000, points: 1e9 } })
    Object.assign(scene.github.remaining, { authorized: 41 })
    scene.github.resetAt = scene.github.clock.now() + hour
    const one = { repository: 'acme/shop', id: scene.hook.id }
    const poll = scene.poll({ targets: [one, { organization: 'nobody', id: 1 }] })
    await poll.turn()
    await eventually(() => expect(Math.max(...poll.waits)).toBeGreaterThan((2 * hour) / 41))
  })
})

describe('a restart', () => {
  test('goes on where it was, and takes what happened meanwhile', async () => {
    const scene = await PullScene.open()
    const first = scene.poll()
    const guids = [await scene.push(), await scene.push()]
    await first.turn()
    await first.stop()
    guids.push(await scene.push(), await scene.push(), await scene.push())
    scene.github.requests.length = 0
    await scene.poll({ inbox: openInbox(scene.file) }).turn()
    expect(asked(scene)).toEqual(['200 log', '200 delivery', '200 delivery', '200 delivery'])
    expect(await guidsIn(scene)).toEqual(guids)
  })

  test('takes nothing for new that was asked for again before', async () => {
    const scene = await PullScene.open()
    const first = scene.poll()
    const guid = await scene.push()
    await first.turn()
    const later = Date.now() + hour // so that the restart sees it alone
    scene.github.record(scene.hook, [{ event: 'push', guid, redelivery: true, deliveredAt: later }])
    await first.turn()
    await first.stop()
    expect((await heldIn(scene))[0]?.duplicates).toBe(1)
    scene.github.requests.length = 0
    await scene.poll({ inbox: openInbox(scene.file) }).turn()
    expect(asked(scene)).toEqual(['200 log'])
  })

  test('goes on in the middle of what was to be fetched', async () => {
    const scene = await PullScene.open()
    const guids: string[] = []
    for (let count = 0; count < 4; count++) guids.push(await scene.push())
    const first = scene.poll()
    const third = scene.github.deliveries(scene.hook)[2]?.id
    scene.github.failAt(new RegExp(`deliveries/${third}$`), 'hang')
    const turn = first.turn()
    await eventually(async () => expect(asked(scene)).toHaveLength(4))
    await first.stop()
    void turn
    scene.github.requests.length = 0
    await scene.poll({ inbox: openInbox(scene.file) }).turn()
    expect(asked(scene)).toEqual(['200 log', '200 delivery', '200 delivery'])
    expect(await guidsIn(scene)).toEqual(guids)
  })
})

describe('a delivery that was asked for again', () => {
  test('is a duplicate', async () => {
    const scene = await PullScene.open()
    const poll = scene.poll()
    const guid = await scene.push()
    await poll.turn()
    await redeliver(scene)
    await poll.turn()
    await scene.allHandled()
    expect((await heldIn(scene)).map(({ guid, duplicates }) => [guid, duplicates])).toEqual([[guid, 1]])
    expect([...scene.handled]).toEqual([[guid, 1]])
  })

  test('is fetched once if it was not here', async () => {
    const scene = await PullScene.open()
    await scene.push()
    await redeliver(scene)
    scene.github.requests.length = 0
    await scene.poll().turn()
    expect(asked(scene)).toEqual(['200 log', '200 delivery'])
  })

  test('is handled again if it has died', async () => {
    const scene = await PullScene.open()
    let broken = true
    const handler = () => {
      if (broken) throw new Error('broken')
    }
    scene.hooks.on('push', handler, { name: 'breaks', attempts: 1 })
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
  const levels = ({ recorder }: ReturnType<PullScene['poll']>) =>
    recorder.lines
      .filter(({ level }) => level === 'error' || level === 'info')
      .map(({ level, message }) => [level, message])

  test('is told once, with longer and longer waits, and so is its end', async () => {
    const scene = await PullScene.open()
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
      ['info', `GitHub shows the deliveries of acme/shop#${scene.hook.id}`],
      ['error', expect.stringMatching(/^Deliveries of acme\/shop#\d+ cannot be fetched: /)],
      ['info', `GitHub shows the deliveries of acme/shop#${scene.hook.id} again`],
    ])
  })

  test('in the middle loses nothing, and fetches nothing twice', async () => {
    const scene = await PullScene.open()
    const guids = [await scene.push(), await scene.push(), await scene.push()]
    const second = scene.github.deliveries(scene.hook)[1]?.id
    scene.github.failAt(new RegExp(`deliveries/${second}$`), { status: 401 })
    const poll = scene.poll()
    await poll.turn()
    expect(await guidsIn(scene)).toEqual(guids.slice(0, 1))
    expect(poll.recorder.messages.at(-1)).toContain('refused the token (401)')
    await poll.turn()
    expect(await guidsIn(scene)).toEqual(guids)
    expect(asked(scene).filter((one) => one === '200 delivery')).toHaveLength(3)
  })

  test.each([
    ['retry-after', { 'retry-after': '600' }, 600],
    ['the reset of the limit', { 'x-ratelimit-limit': '5000', 'x-ratelimit-remaining': '0' }, 1800],
  ])('that is a limit lasts as long as GitHub says: %s', async (_what, headers, expected) => {
    const scene = await PullScene.open()
    scene.github.clock.advance(7 * hour) // whatever time it is here
    const reset = String(Math.floor(scene.github.clock.now() / 1000) + 1800)
    scene.github.failAt(/^GET/, {
      status: 403,
      headers: { ...headers, 'x-ratelimit-reset': reset },
      body: { message: 'too much' },
    })
    const poll = scene.poll()
    expect(Math.round((await poll.turn()) / 10_000)).toBe(expected / 10)
    expect(poll.recorder.messages).toEqual([expect.stringContaining('GitHub refused (403): too much')])
    expect(await poll.turn()).toBe(10_000)
  })
})

describe('two processes at one inbox', () => {
  test('take turns only when one goes', async () => {
    const scene = await PullScene.open()
    const one = scene.poll()
    const other = scene.poll({ inbox: openInbox(scene.file) })
    const guids = [await scene.push()]
    await one.turn()
    scene.github.requests.length = 0
    expect(await other.turn()).toBe(10_000)
    expect(asked(scene)).toEqual([])
    guids.push(await scene.push())
    await one.turn()
    await one.stop()
    guids.push(await scene.push())
    scene.github.requests.length = 0
    await other.turn()
    expect(asked(scene)).toEqual(['200 log', '200 delivery'])
    expect(await guidsIn(scene)).toEqual(guids)
  })
})

describe('the hook', () => {
  test('is the only one that there is', async () => {
    const scene = await PullScene.open()
    const guid = await scene.push()
    await scene.poll({ targets: [{ repository: 'acme/shop' }] }).turn()
    expect(await guidsIn(scene)).toEqual([guid])
  })

  test('has to be named where there are several', async () => {
    const scene = await PullScene.open()
    const other = scene.github.addHook({ repository: 'acme/shop', url: 'https://user:key@ci.example/hook?key=secret' })
    const poll = scene.poll({ targets: [{ repository: 'acme/shop' }] })
    await poll.turn()
    expect(poll.recorder.lines).toMatchObject([{ level: 'error' }])
    expect(poll.recorder.messages[0]).toBe(
      'Deliveries of acme/shop cannot be fetched: acme/shop has 2 webhooks, choose one by its id: ' +
        `acme/shop#${scene.hook.id} (${nowhere}), acme/shop#${other.id} (https://ci.example/hook)`,
    )
  })

  test.each([
    ['there is none', { repository: 'acme/empty' }, 'acme/empty has no webhook'],
    ['there is none with its id', { repository: 'acme/shop', id: 1 }, 'GitHub shows no such webhook (404)'],
    ['nobody knows its owner', { organization: 'nobody' }, 'GitHub shows no webhooks of nobody (404)'],
  ])('is told of where %s', async (_what, target, expected) => {
    const scene = await PullScene.open()
    scene.github.addRepository('acme/empty')
    const poll = scene.poll({ targets: [target] })
    await poll.turn()
    expect(poll.recorder.messages[0]).toContain(expected)
  })

  test('of an App is polled as the App, and the log has no line for a 304', async () => {
    const scene = await PullScene.open()
    const app = scene.github.addApp({ id: 3 })
    const hook = scene.github.addHook({ app, url: nowhere })
    const poll = scene.poll({
      targets: ['app'],
      connect: (target) => {
        const settings = { apiUrl: scene.github.url, app, token: undefined, logger: childLogger(new Recorder()) }
        return new GitHubClient(settings).requesterFor(target)
      },
    })
    await poll.turn()
    const guid = scene.github.record(hook, [{ event: 'issues.opened' }])[0]?.guid
    await poll.turn()
    await poll.turn()
    expect((await heldIn(scene)).map(({ guid, hookId }) => [guid, hookId])).toEqual([[guid, String(hook.id)]])
    expect(scene.github.requests.at(-1)?.status).toBe(304)
    expect(poll.recorder.lines.filter(({ level }) => level !== 'debug' && level !== 'info')).toEqual([])
  })
})

/** Entries of GitHub's log that a sweep cannot request or read. */
import { describe, expect, test } from 'vitest'
import { DeliveryLog } from '../../../src/github/delivery-log.ts'
import { Fetcher, newMissedDelivery } from '../../../src/github/fetcher.ts'
import { GitHubClient } from '../../../src/github/github-client.ts'
import { auditResultOf } from '../../../src/github/recovery/sweeper.ts'
import { childLogger, silentLogger } from '../../../src/telemetry/logger.ts'
import type { EntryOverride, Failure, LocalDelivery } from '../../../src/testing/index.ts'
import { allHandledOnce, failed, oneRetry } from '../recorded-deliveries.ts'
import { Scene } from '../recovery-scene.ts'

const day = 86_400_000
const answer = (body: unknown): Failure => ({ status: 200, body })

/** Five failed pushes. GitHub redelivers and shows all but the second. */
async function openBroken(override: EntryOverride) {
  const scene = await Scene.open()
  const guids = failed(scene, 5)
  const broken = scene.github.deliveries(scene.hook)[1] as LocalDelivery
  scene.github.overrideEntry(broken, override)
  return { scene, guids, broken, others: guids.filter((guid) => guid !== broken.guid) }
}

const failures: [string, Failure][] = [
  ['500', { status: 500 }],
  ['422', { status: 422 }],
  ['404', { status: 404 }],
  ['not at all', 'hang'],
  ['with a lost connection', 'cut'],
]
const brokenAnswers: [string, Failure][] = [
  ['null', answer(null)],
  ['no request', answer({ id: 1 })],
  ['a null payload', answer({ request: { headers: {}, payload: null } })],
]

describe.each(['redeliver', 'pull'] as const)('with mode %s', (mode) => {
  test.each(mode === 'pull' ? [...failures, ...brokenAnswers] : failures)(
    'a delivery that GitHub answers with %s stays missed, stops no other, and is logged once',
    async (_what, single) => {
      const { scene, broken, others, guids } = await openBroken({ single })
      const settings = { mode, retryPolicy: oneRetry } as const
      const swept = await scene.recovery(settings).sweep()
      const counts = { [mode === 'pull' ? 'received' : 'requested']: 4, missed: 1 }
      expect(swept?.reports).toMatchObject([{ counts, fetched: 4, error: expect.any(String) }])
      expect(auditResultOf(swept?.reports ?? [])?.count).toBe(4)
      await allHandledOnce(scene, others)
      const recorded = (await scene.inbox.missedDeliveries()).find(({ guid }) => guid === broken.guid)
      expect(recorded).toMatchObject({ state: 'missed', requests: 1 })
      expect(recorded?.status).not.toBe(broken.status)
      const again = await scene.recovery(settings).sweep({ thorough: true })
      expect(auditResultOf(again?.reports ?? [])).toBeUndefined() // the records of the first sweep do not count
      const warnings = scene.recorder.lines.filter(
        ({ level, fields }) => level === 'warn' && fields.guid === broken.guid,
      )
      expect(warnings).toHaveLength(1)
      scene.github.overrideEntry(broken, {})
      await scene.recovery(settings).sweep({ thorough: true })
      await allHandledOnce(scene, guids)
    },
  )
})

test('entries without an id are reported, and stop no other', async () => {
  const { scene, others } = await openBroken({ listed: null })
  const swept = await scene.recovery().sweep()
  expect(swept?.reports).toMatchObject([
    { sent: 4, error: "GitHub's delivery log has entries that cannot be read: null" },
  ])
  await allHandledOnce(scene, others)
})

test('deliveries that were never requested come before those that failed, and thirty bad ones end a sweep', async () => {
  const scene = await Scene.open()
  const bad = failed(scene, 40)
  for (const entry of scene.github.deliveries(scene.hook))
    scene.github.overrideEntry(entry, { single: { status: 404 } })
  const good = failed(scene, 3)
  const sweep = async () => (await scene.recovery({ every: 0 }).sweep())?.reports[0]?.counts
  expect(await sweep()).toMatchObject({ requested: 0, missed: 43 })
  expect(await sweep()).toMatchObject({ requested: 3, missed: 40 })
  await allHandledOnce(scene, good)
  expect(bad).toHaveLength(40)
})

test('more missed deliveries than one sweep compares are requested by several sweeps, the oldest first', async () => {
  const scene = await Scene.open()
  const guids = failed(scene, 25)
  const settings = { mode: 'pull', maxCompared: 10 } as const
  const received = async () => (await scene.inbox.list({ limit: 100 })).deliveries.map(({ guid }) => guid).reverse()
  const swept = await scene.recovery(settings).sweep()
  expect(swept?.reports[0]?.error).toContain('The inbox missed more than 10 deliveries')
  expect(await received()).toEqual(guids.slice(0, 10))
  await scene.recovery(settings).sweep()
  expect(await received()).toEqual(guids.slice(0, 20))
  expect((await scene.recovery(settings).sweep())?.reports[0]?.error).toBeUndefined()
  expect(await received()).toEqual(guids)
  await allHandledOnce(scene, guids)
})

test("an App's webhook whose newest entries are all unreadable is reported, not taken for one without deliveries", async () => {
  const scene = await Scene.open()
  const app = scene.github.addApp({ id: 3 })
  const hook = scene.addHook({ app })
  failed(scene, 12, { hook })
  for (const entry of scene.github.deliveries(hook)) scene.github.overrideEntry(entry, { single: { status: 422 } })
  const client = new GitHubClient({
    apiUrl: scene.github.url,
    app,
    token: undefined,
    logger: childLogger(silentLogger),
  })
  const swept = await scene.recovery({ targets: ['app'], connect: (target) => client.requesterFor(target) }).sweep()
  expect(swept?.reports).toMatchObject([{ target: 'app', error: expect.any(String) }])
})

test('a delivery that the inbox has under another id of the webhook is not stored again', async () => {
  const scene = await Scene.open()
  const guid = failed(scene, 1)[0] ?? ''
  await scene.recovery({ mode: 'pull' }).sweep()
  const log = new DeliveryLog(scene.requester(), `/repos/acme/shop/hooks/${scene.hook.id}/deliveries`)
  const [attempt] = await log.newest()
  if (!attempt) throw new Error('The log is empty')
  const missed = newMissedDelivery({ hookId: '1', target: 'acme/shop', retention: 3 * day }, attempt, attempt)
  const settings = { inbox: scene.inbox, source: '/hooks', retention: 3 * day }
  const fetched = await new Fetcher(log, settings, Date.now()).pull(missed)
  expect(fetched.missed.state).toBe('received')
  expect((await scene.inbox.list({ limit: 10 })).deliveries).toMatchObject([{ guid, duplicates: 0 }])
})

describe('a 404', () => {
  const settingsOf = (scene: Scene) => ({ inbox: scene.inbox, source: '/hooks', retention: 3 * day })

  async function missedPush() {
    const scene = await Scene.open()
    failed(scene, 1)
    const log = new DeliveryLog(scene.requester(), `/repos/acme/shop/hooks/${scene.hook.id}/deliveries`)
    const [attempt] = await log.newest()
    if (!attempt) throw new Error('The log is empty')
    const missed = newMissedDelivery({ hookId: '1', target: 'acme/shop', retention: 3 * day }, attempt, attempt)
    return { scene, log, missed, sentAt: attempt.deliveredAt }
  }

  test('means that GitHub has deleted an old attempt that the log no longer lists', async () => {
    const { scene, log, missed, sentAt } = await missedPush()
    scene.github.clock.advance(3 * day + 1000)
    const { missed: after, error } = await new Fetcher(log, settingsOf(scene), sentAt + 3 * day).redeliver(missed)
    expect([after.state, after.status, error]).toEqual(['expired', 'GitHub no longer keeps it', undefined])
  })

  test.each([
    ['an old attempt that the log still lists', 3 * day],
    ['a young attempt', 3 * day - 10_000],
  ])('for %s is lost access', async (_what, age) => {
    const { scene, log, missed, sentAt } = await missedPush()
    scene.github.failAt(/attempts$/, { status: 404 })
    const { missed: after, error } = await new Fetcher(log, settingsOf(scene), sentAt + age).redeliver(missed)
    expect(after.state).toBe('missed')
    expect(after.status).toContain('GitHub lists it, but does not show it (404): check that the token')
    expect(error).toBeInstanceOf(Error)
  })
})

/** Entries of the log that GitHub lists and does not show, or does not list as it should. */
import { describe, expect, test } from 'vitest'
import type { MissedDelivery } from '../../../src/inbox/missed-deliveries.ts'
import { rawNumber } from '../../../src/runtime/json.ts'
import type { EntryOverride, Failure } from '../../../src/testing/index.ts'
import { openInbox, storeIn } from '../../inbox/stores.ts'
import { type Poll, PollingScene } from '../polling-scene.ts'
import { noRetries, oneRetry } from '../recorded-deliveries.ts'

const minute = 60_000
const day = 24 * 60 * minute

async function openWithPushes(count: number) {
  const scene = await PollingScene.open()
  const guids: string[] = []
  for (let pushes = 0; pushes < count; pushes++) guids.push(await scene.push())
  return { scene, guids, entries: scene.github.deliveries(scene.hook) }
}

async function guidsIn({ inbox }: PollingScene): Promise<string[]> {
  return (await inbox.list({ limit: 500 })).deliveries.toReversed().map(({ guid }) => guid)
}

/** Polls until a poll has ended well. */
async function pollOnce(poll: Poll): Promise<void> {
  do await poll.turn()
  while (poll.waits.at(-1) !== 10_000) // the other waits are those before retries
}

/** Makes the missed deliveries due. */
async function makeDue({ inbox }: PollingScene, requestedAt = Date.now() - minute): Promise<MissedDelivery[]> {
  const missed = (await inbox.missedDeliveries()).map((one) => ({ ...one, requestedAt }))
  await inbox.saveMissedDeliveries(missed)
  return missed
}

const answer = (body: unknown): Failure => ({ status: 200, body })
const noPayload = 'GitHub answered without a payload'

describe('an entry that GitHub does not show', () => {
  test.each<[string, Failure, string]>([
    ['500', { status: 500 }, 'GitHub answered 500'],
    ['422', { status: 422, body: { message: 'Validation Failed' } }, 'GitHub answered 422'],
    ['404', { status: 404 }, 'GitHub lists it, but does not show it (404)'],
    ['with a lost connection', 'cut', 'other side closed'],
    ['not at all', 'hang', 'GitHub did not answer in time'],
    ['null', answer(null), 'GitHub answered without the delivery'],
    ['a list', answer([]), 'GitHub answered without the delivery'],
    ['no request', answer({ id: 1 }), noPayload],
    ['a null payload', answer({ request: { headers: {}, payload: null } }), noPayload],
    ['a payload that is text', answer({ request: { headers: {}, payload: '{}' } }), noPayload],
  ])(
    'but answers %s is recorded as missed, blocks no other, and is tried again later',
    async (_what, single, reason) => {
      const { scene, guids, entries } = await openWithPushes(5)
      const broken = entries[1] as (typeof entries)[number]
      scene.github.overrideEntry(broken, { single })
      const poll = scene.poll({ retryPolicy: oneRetry })
      await pollOnce(poll)
      expect(await guidsIn(scene)).toEqual(guids.filter((guid) => guid !== broken.guid))
      expect(await scene.inbox.missedDeliveries()).toMatchObject([
        { guid: broken.guid, deliveryId: broken.id, target: 'acme/shop', event: 'push', state: 'missed', requests: 1 },
      ])
      expect((await makeDue(scene, Date.now()))[0]?.status).toContain(reason)

      const requests = () => scene.github.requests.filter(({ path }) => path.endsWith(`/${broken.id}`)).length
      const before = requests()
      await pollOnce(poll)
      expect(requests()).toBe(before)

      scene.github.overrideEntry(broken, {})
      await poll.stop()
      await makeDue(scene)
      const later = scene.poll({ inbox: openInbox(scene.file) })
      await pollOnce(later)
      expect((await guidsIn(scene)).at(-1)).toBe(broken.guid)
      expect(await scene.inbox.missedDeliveries()).toMatchObject([{ state: 'received', requests: 2 }])
      await scene.allHandled()
      expect([...scene.handled.values()]).toEqual([1, 1, 1, 1, 1])
      const lines = [...poll.recorder.lines, ...later.recorder.lines].filter(({ level }) => level === 'warn')
      expect(lines).toMatchObject([{ fields: { guid: broken.guid, event: 'push' } }])
    },
  )

  test('expires as late as its redelivery, which GitHub does not show either', async () => {
    const { scene, entries } = await openWithPushes(1)
    const [{ guid = '' } = {}] = entries
    scene.github.failAt(/deliveries\/\d+$/, { status: 500 }, { status: 500 })
    const poll = scene.poll({ retryPolicy: noRetries })
    await pollOnce(poll)
    scene.github.clock.advance(day)
    const [again] = scene.github.record(scene.hook, [{ event: 'push', guid, redelivery: true, statusCode: 502 }])
    await pollOnce(poll)
    const expiresAt = (again?.deliveredAt ?? 0) + 3 * day
    expect(await scene.inbox.missedDeliveries()).toMatchObject([{ guid, deliveryId: again?.id, expiresAt }])
  })

  test('is not requested again if the inbox has got it in another way', async () => {
    const { scene, guids, entries } = await openWithPushes(1)
    scene.github.overrideEntry(entries[0]?.id ?? '', { single: { status: 500 } })
    const poll = scene.poll({ retryPolicy: noRetries })
    await poll.turn()
    await poll.stop()
    await makeDue(scene)
    await storeIn(scene.inbox, {}, { guid: guids[0] ?? '', hookId: String(scene.hook.id) })
    scene.github.requests.length = 0
    await pollOnce(scene.poll({ inbox: openInbox(scene.file) }))
    expect(scene.github.requests.filter(({ path }) => /deliveries\/\d+$/.test(path))).toEqual([])
    expect(await scene.inbox.missedDeliveries()).toMatchObject([{ state: 'received', requests: 1 }])
  })

  test('expires when GitHub no longer keeps it', async () => {
    const { scene, entries } = await openWithPushes(1)
    scene.github.overrideEntry(entries[0]?.id ?? '', { single: { status: 500 } })
    const first = scene.poll({ retryPolicy: oneRetry })
    await pollOnce(first)
    await first.stop()
    scene.github.clock.advance(3 * 24 * 60 * minute)
    await makeDue(scene)
    await pollOnce(scene.poll({ inbox: openInbox(scene.file), retryPolicy: oneRetry }))
    expect(await scene.inbox.missedDeliveries()).toMatchObject([{ state: 'expired', status: 'GitHub answered 500' }])
  })

  test('ends the poll after three in a row, because GitHub itself may fail, and the next poll goes on', async () => {
    const { scene, guids, entries } = await openWithPushes(8)
    for (const entry of entries.slice(0, 4)) scene.github.overrideEntry(entry, { single: { status: 500 } })
    const poll = scene.poll({ retryPolicy: noRetries })
    await poll.turn()
    expect(poll.recorder.messages.at(-1)).toContain('Cannot fetch the deliveries of')
    expect(await scene.inbox.missedDeliveries()).toHaveLength(3)
    await pollOnce(poll)
    expect(await guidsIn(scene)).toEqual(guids.slice(4))
    expect(await scene.inbox.missedDeliveries()).toHaveLength(4)
  })
})

describe('an entry that the log lists', () => {
  test.each<[string, EntryOverride['listed']]>([
    ['as null', null],
    ['as text', 'entry'],
    ['without an id', (entry) => ({ ...entry, id: null })],
    ['with a rounded id', (entry) => ({ ...entry, id: rawNumber('3.8e18') })],
  ])('%s blocks no other, and is logged once', async (_what, listed) => {
    const { scene, guids, entries } = await openWithPushes(3)
    scene.github.overrideEntry(entries[1]?.id ?? '', { listed: listed as never })
    const poll = scene.poll()
    await pollOnce(poll)
    await scene.push()
    await pollOnce(poll)
    expect((await guidsIn(scene)).slice(0, 2)).toEqual([guids[0], guids[2]])
    expect(poll.recorder.lines.filter(({ level }) => level === 'warn')).toMatchObject([
      { message: expect.stringContaining("GitHub's delivery log has an entry without an id") },
    ])
  })

  test.each<[string, (entry: Record<string, unknown>) => unknown]>([
    ['no GUID', ({ guid: _, ...entry }) => entry],
    ['a GUID that cannot be one', (entry) => ({ ...entry, guid: '\u0000 or 1=1' })],
    ['an event that is a number', (entry) => ({ ...entry, event: 7 })],
    ['no time', (entry) => ({ ...entry, delivered_at: null })],
    ['a time in the far future', (entry) => ({ ...entry, delivered_at: '9999-12-31T23:59:59Z' })],
    ['a time long ago', (entry) => ({ ...entry, delivered_at: '1970-01-01T00:00:00Z' })],
  ])('with %s is stored, once, and blocks no later one', async (_what, listed) => {
    const { scene, guids, entries } = await openWithPushes(3)
    scene.github.overrideEntry(entries[1]?.id ?? '', { listed })
    const poll = scene.poll()
    await pollOnce(poll)
    guids.push(await scene.push())
    await pollOnce(poll)
    await pollOnce(poll)
    expect((await guidsIn(scene)).toSorted()).toEqual(guids.toSorted())
    expect(scene.github.requests.filter(({ path }) => /deliveries\/\d+$/.test(path))).toHaveLength(4)
    await scene.allHandled()
    expect([...scene.handled.values()]).toEqual([1, 1, 1, 1])
  })
})

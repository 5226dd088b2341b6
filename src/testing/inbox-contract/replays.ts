import assert from 'node:assert/strict'
import { type InboxContractCase, openNew } from './case.ts'
import { newDelivery, start, storeNew } from './deliveries.ts'
import { recordMatches } from './matching.ts'
import { assertState, detailOf, only } from './seen.ts'
import { due, TestWorker } from './test-worker.ts'

const tasks = [{ handler: 'a', claim: true }]

export const replayCases: InboxContractCase[] = [
  ...[
    { id: 'replay-guid', what: 'another GUID', as: { guid: 'another' } },
    {
      id: 'replay-event',
      what: 'another event, even from another webhook',
      as: { event: 'another', hookId: 'another' },
    },
  ].map(
    ({ id, what, as }) =>
      ({
        id,
        name: `runs a delivery, and flags it as a replay, if its bytes arrived before with ${what}`,
        async run(host) {
          const inbox = await openNew(host)
          const worker = await TestWorker.register(inbox, 'a', 'b')
          const first = newDelivery()
          const original = await storeNew(inbox, first)
          const replay = await storeNew(inbox, { ...first, ...as })
          assert.equal((await worker.begin(original, 'a')).replayed, false)
          const claimed = only(await worker.match(replay, 'a', due('b')))
          assert.equal(claimed.replayed, true)
          assert.equal(only(await worker.claim('b')).replayed, true)
          assert.equal(only(await inbox.load([replay])).replayed, true)
          assert.equal(only(await inbox.load([original])).replayed, false)
        },
      }) satisfies InboxContractCase,
  ),
  {
    id: 'replay-hook',
    name: 'flags no replay if the same bytes, GUID and event arrived before, even from another webhook or source',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const first = newDelivery()
      const ids = [await storeNew(inbox, first), await storeNew(inbox, { ...first, hookId: 'another' })]
      ids.push(await storeNew(inbox, { ...first, source: 'another' }))
      for (const id of ids) assert.equal((await worker.begin(id, 'a')).replayed, false)
      await inbox.store(first)
      for (const id of ids) assert.equal((await detailOf(inbox, id)).replayed, false)
    },
  },
  {
    id: 'replay-together',
    name: 'flags a replay that is matched together with its original',
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const first = newDelivery()
      const ids = [await storeNew(inbox, first), await storeNew(inbox, { ...first, guid: 'another' })]
      const claimed = await recordMatches(
        inbox,
        worker.id,
        ids.map((id) => ({ id, summary: {}, tasks })),
        start,
      )
      assert.deepEqual(
        claimed.map(({ id, replayed }) => [id, replayed]),
        [
          [ids[0], false],
          [ids[1], true],
        ],
      )
    },
  },
  {
    id: 'replay-discarded',
    name: 'discards a replay, and not its original, if the match requests that',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const first = newDelivery()
      const original = await storeNew(inbox, first)
      const replay = await storeNew(inbox, { ...first, guid: 'another' })
      for (const id of [original, replay]) {
        await recordMatches(
          inbox,
          worker.id,
          [{ id, summary: { action: 'opened' }, tasks, discardReplay: true }],
          start,
        )
      }
      await assertState(inbox, original, 'running')
      const { state, reason, replayed, tasks: none, action, sameBodyAs } = await detailOf(inbox, replay)
      assert.deepEqual(
        { state, replayed, none, action, sameBodyAs },
        { state: 'discarded', replayed: true, none: [], action: 'opened', sameBodyAs: original },
      )
      assert.equal((await detailOf(inbox, original)).sameBodyAs, undefined)
      assert.ok(reason, 'the delivery has a reason')
      assert.deepEqual(await worker.claim('a'), [])
    },
  },
  {
    id: 'replay-retried',
    name: 'runs a discarded replay if an operator retries it, and not if a copy rearms it',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const first = newDelivery()
      const copied = { ...first, guid: 'another' }
      const original = await storeNew(inbox, first)
      const replay = await storeNew(inbox, copied)
      const match = (id: number) => {
        return recordMatches(inbox, worker.id, [{ id, summary: {}, tasks, discardReplay: true }], start)
      }
      for (const id of [original, replay]) await match(id)
      assert.equal((await inbox.store(copied)).outcome, 'rearmed')
      assert.deepEqual(await match(replay), [])
      assert.equal(await inbox.retry({ ids: [replay] }), 1)
      const { id, replayed } = only(await match(replay))
      assert.deepEqual([id, replayed], [replay, true])
    },
  },
  {
    id: 'replay-original',
    name: 'does not flag the original as a replay when it runs again',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const first = newDelivery()
      const original = await storeNew(inbox, first)
      await worker.handle(original, { a: 'dead' })
      await worker.handle(await storeNew(inbox, { ...first, guid: 'another' }), { a: 'dead' })
      assert.equal((await inbox.store(first)).outcome, 'rearmed')
      const again = [{ id: original, summary: {}, tasks, discardReplay: true }]
      assert.equal(only(await recordMatches(inbox, worker.id, again, start)).replayed, false)
      assert.equal((await detailOf(inbox, original)).replayed, false)
    },
  },
]

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { BasicStore, Store } from '../../inbox/inbox.ts'
import { type InboxContractCase, openNew } from './case.ts'
import { day, newDelivery, start, storeNew } from './deliveries.ts'
import { eventually } from './eventually.ts'
import { recordMatches, unmatched } from './matching.ts'
import { assertState, detailOf, only, taskOf } from './seen.ts'
import { due, policies, TestWorker } from './test-worker.ts'

/** Calls of most methods of an inbox, by name. */
const basicCalls: Record<string, (inbox: BasicStore) => Promise<unknown>> = {
  store: (inbox) => inbox.store(newDelivery()),
  checkWritable: (inbox) => inbox.checkWritable(),
  registerWorker: (inbox) => inbox.registerWorker(policies('a')),
  updateWorker: (inbox) => inbox.updateWorker(1, policies('a')),
  releaseWorker: (inbox) => inbox.releaseWorker(1),
  releaseLeases: (inbox) => inbox.releaseLeases(1, []),
  match: (inbox) => recordMatches(inbox, 1, [], start),
  countMatchAttempt: (inbox) => inbox.countMatchAttempt(1),
  forgetMatchAttempts: (inbox) => inbox.forgetMatchAttempts(1),
  claim: (inbox) => inbox.claim(1, { wanted: { a: 1 }, bytes: 1, now: start }),
  load: (inbox) => inbox.load([1]),
  finish: (inbox) => inbox.finish(1, []),
}

const furtherCalls: Record<string, (inbox: Store) => Promise<unknown>> = {
  list: (inbox) => inbox.list({}),
  get: (inbox) => inbox.get(1),
  body: (inbox) => inbox.body(1),
  overview: (inbox) => inbox.overview(),
  'retry of one': (inbox) => inbox.retry({ ids: [1] }),
  'retry of many': (inbox) => inbox.retry({ query: {} }),
  discard: (inbox) => inbox.discard({ query: {} }, 'closed'),
  pause: (inbox) => inbox.pause('a'),
  resume: (inbox) => inbox.resume('a'),
  prune: (inbox) => inbox.prune(start),
  recordRejections: (inbox) => inbox.recordRejections([]),
  rejections: (inbox) => inbox.rejections(),
  setValue: (inbox) => inbox.setValue('name', 'text'),
  getValue: (inbox) => inbox.getValue('name'),
  compareAndSet: (inbox) => inbox.compareAndSet('name', undefined, 'text'),
}

export const closingCases: InboxContractCase[] = [
  {
    id: 'close-pending',
    name: 'completes calls that were made before the inbox was closed',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const store = await host.create()
      const inbox = await store.open()
      const worker = await TestWorker.register(inbox, 'a')
      const running = await storeNew(inbox)
      await worker.match(running, 'a')

      const sizes = [10, 100_000, 3_000_000]
      const stored = sizes.map((size) => inbox.store(newDelivery({ body: randomBytes(size) })))
      const pending = [
        inbox.releaseWorker(worker.id),
        inbox.registerWorker(policies('a')),
        inbox.list({}),
        inbox.pause('b'),
      ]
      await inbox.close()
      const receipts = await Promise.all(stored)
      await Promise.all(pending)

      const again = await store.open()
      for (const [index, { id, outcome }] of receipts.entries()) {
        assert.equal(outcome, 'stored')
        assert.equal((await detailOf(again, id)).size, sizes[index])
      }
      await assertState(again, running, 'pending')
      assert.deepEqual((await again.overview()).paused, ['b'])
    },
  },
  {
    id: 'close-bulk',
    name: 'completes bulk operations that were started before the inbox was closed',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const store = await host.create()
      const inbox = await store.open()
      const id = await storeNew(inbox)
      const discarded = inbox.discard({ query: {} }, 'not wanted')
      await inbox.close()
      assert.equal(await discarded, 1)
      await assertState(await store.open(), id, 'discarded')
    },
  },
  {
    id: 'closed',
    name: 'rejects calls after the inbox was closed, and can be closed again',
    async run(host) {
      const inbox = await openNew(host)
      await storeNew(inbox)
      await inbox.close()
      await assertRejected(inbox, basicCalls)
      await inbox.close()
    },
  },
  {
    id: 'closed-all',
    name: 'rejects queries and operations after the inbox was closed',
    needs: ['DeliveryReader', 'Operations', 'KeyValues', 'Statistics'],
    async run(host) {
      const inbox = await openNew(host)
      await storeNew(inbox)
      await inbox.close()
      await assertRejected(inbox, furtherCalls)
    },
  },
  {
    id: 'closed-unused',
    name: 'can be closed without any earlier call',
    async run(host) {
      const inbox = await openNew(host)
      await inbox.close()
      await assert.rejects(() => inbox.store(newDelivery()))
    },
  },
  {
    id: 'disposed',
    name: 'is closed at the end of its scope, if it can be disposed of',
    async run(host) {
      const inbox = await openNew(host)
      if (!inbox[Symbol.asyncDispose]) return
      await storeNew(inbox)
      await inbox[Symbol.asyncDispose]?.()
      await assertRejected(inbox, basicCalls)
    },
  },
  {
    id: 'reopened',
    name: 'has all data when the store is opened again',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const store = await host.create()
      const inbox = await store.open()
      const worker = await TestWorker.register(inbox, 'a', 'b')
      const [known, pruned] = [newDelivery(), newDelivery({ receivedAt: start - 500 * day })]
      await worker.handle(await storeNew(inbox, pruned), { a: 'succeeded' })
      const id = await storeNew(inbox, known)
      for (const task of await worker.match(id, 'a', 'b')) await worker.finish(task, 'failed', { error: 'broken' })
      const fresh = await storeNew(inbox)
      await inbox.pause('a')
      await inbox.prune(Date.now())
      const before = [await inbox.get(id), await inbox.body(id), await unmatched(inbox, 10, 1e6)]
      await inbox.releaseWorker(worker.id)
      await inbox.close()

      const again = await store.open()
      assert.deepEqual([await again.get(id), await again.body(id), await unmatched(again, 10, 1e6)], before)
      assert.deepEqual((await again.overview()).paused, ['a'])
      assert.deepEqual(await again.store(known), { id, outcome: 'duplicate', conflict: false })
      assert.equal((await again.store(pruned)).outcome, 'duplicate')
      assert.equal(only(await unmatched(again, 10, 1e6)).id, fresh)
    },
  },
  {
    id: 'reopened-held',
    name: 'expires the leases of a worker that was not released before its inbox was closed',
    needs: ['DeliveryReader'],
    async run(host) {
      const store = await host.create()
      const inbox = await store.open()
      const worker = await TestWorker.register(inbox, 'a', 'b')
      const id = await storeNew(inbox)
      await worker.match(id, 'a', due('b'))
      await inbox.close()
      const again = await store.open()
      await TestWorker.register(again, 'a', 'b')
      await eventually('the lease expires', async () => (await taskOf(again, id, 'a')).state !== 'running')
      assert.equal((await taskOf(again, id, 'b')).state, 'pending')
    },
  },
]

async function assertRejected<Store>(
  inbox: Store,
  calls: Readonly<Record<string, (inbox: Store) => Promise<unknown>>>,
): Promise<void> {
  for (const [name, call] of Object.entries(calls)) {
    await assert.rejects(() => call(inbox), Error, `${name} of a closed inbox`)
  }
}

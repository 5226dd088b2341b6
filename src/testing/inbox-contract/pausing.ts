import assert from 'node:assert/strict'
import { type InboxContractCase, openNew } from './case.ts'
import { minute, start, storeNew } from './deliveries.ts'
import { unmatched } from './matching.ts'
import { assertState, assertTasks, only } from './seen.ts'
import { due, TestWorker } from './test-worker.ts'

export const pausingCases: InboxContractCase[] = [
  {
    id: 'pause',
    name: 'claims no task of a paused handler, and claims those of other handlers',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a', 'b')
      await inbox.pause('a')
      const [id, other] = [await storeNew(inbox), await storeNew(inbox)]
      assert.equal(only(await worker.match(id, 'a', 'b')).handler, 'b')
      await worker.match(other, due('a'), due('b'))
      assert.equal(only(await inbox.claim(worker.id, { wanted: { a: 9, b: 9 }, bytes: 1e6, now: start })).handler, 'b')
      await assertTasks(inbox, id, { a: 'pending', b: 'running' })
      await inbox.resume('a')
      assert.equal((await worker.claim('a', 9)).length, 2)
    },
  },
  {
    id: 'pause-all',
    name: 'stores and matches deliveries while all handlers are paused, and claims no task',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a', 'b')
      await inbox.pause('*')
      const id = await storeNew(inbox)
      assert.equal(only(await unmatched(inbox, 10, 1e6)).id, id)
      assert.deepEqual(await worker.match(id, 'a', due('b')), [])
      assert.deepEqual(await inbox.claim(worker.id, { wanted: { a: 9, b: 9 }, bytes: 1e6, now: start }), [])
      await assertState(inbox, id, 'pending')
      const ignored = await storeNew(inbox)
      await worker.match(ignored)
      await assertState(inbox, ignored, 'ignored')
      await inbox.resume('*')
      assert.equal((await inbox.claim(worker.id, { wanted: { a: 9, b: 9 }, bytes: 1e6, now: start })).length, 2)
    },
  },
  {
    id: 'pause-shown',
    name: 'names the paused handlers that a delivery waits for, in lists and in its details',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a', 'b', 'c')
      const assertPaused = async (id: number, handlers: string[] | undefined) => {
        const { deliveries } = await inbox.list({})
        assert.deepEqual(deliveries.find((one) => one.id === id)?.pausedHandlers, handlers)
        assert.deepEqual((await inbox.get(id))?.pausedHandlers, handlers)
      }
      const id = await storeNew(inbox)
      await worker.match(id, 'a', due('b'), due('c')) // `a` runs
      await assertPaused(id, undefined)
      for (const handler of ['c', 'b', 'a']) await inbox.pause(handler)
      await assertPaused(id, ['b', 'c'])
      for (const handler of ['a', 'b', 'c']) await inbox.resume(handler)
      await inbox.pause('*')
      await assertPaused(id, ['b', 'c'])
      await inbox.resume('*')
      await assertPaused(id, undefined)
    },
  },
  {
    id: 'pause-apart',
    name: 'keeps a handler paused when * is resumed, and keeps * paused when the handler is resumed',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      await worker.match(await storeNew(inbox), due('a'))
      for (const handler of ['a', '*', 'a']) await inbox.pause(handler)
      assert.deepEqual((await inbox.overview()).paused.sort(), ['*', 'a'])
      await inbox.resume('*')
      assert.deepEqual(await worker.claim('a'), [])
      await inbox.pause('*')
      await inbox.resume('a')
      assert.deepEqual(await worker.claim('a'), [])
      await inbox.resume('*')
      await inbox.resume('never paused')
      assert.deepEqual((await inbox.overview()).paused, [])
      assert.equal((await worker.claim('a')).length, 1)
    },
  },
  {
    id: 'pause-running',
    name: 'lets running tasks finish, and delays their next attempt until the handler is resumed',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const id = await storeNew(inbox)
      const task = await worker.begin(id, 'a')
      await inbox.pause('a')
      assert.deepEqual(await worker.finish(task, 'failed'), [{ id, state: 'retrying' }])
      assert.deepEqual(await worker.claim('a', 1, start + minute), [])
      await assertState(inbox, id, 'retrying')
      await inbox.resume('a')
      assert.equal((await worker.claim('a', 1, start + minute)).length, 1)
    },
  },
  {
    id: 'pause-everywhere',
    name: 'pauses a handler in every process',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const store = await host.create()
      const [inbox, other] = [await store.open(), await store.open()]
      const worker = await TestWorker.register(other, 'a')
      await worker.match(await storeNew(other), due('a'))
      await inbox.pause('a')
      assert.deepEqual((await other.overview()).paused, ['a'])
      assert.deepEqual(await worker.claim('a'), [])
      await inbox.resume('a')
      assert.equal((await worker.claim('a')).length, 1)
    },
  },
]

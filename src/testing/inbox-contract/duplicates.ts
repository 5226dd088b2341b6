import assert from 'node:assert/strict'
import { type InboxContractCase, openNew } from './case.ts'
import { newDelivery, storeNew } from './deliveries.ts'
import { unmatched } from './matching.ts'
import { assertState, assertTasks, detailOf, only } from './seen.ts'
import { due, TestWorker } from './test-worker.ts'

export const duplicateCases: InboxContractCase[] = [
  {
    id: 'duplicate',
    name: 'counts each copy, and keeps the headers of the stored delivery',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const first = newDelivery()
      const id = await storeNew(inbox, first)
      for (const copies of [1, 2, 3]) {
        const headers = { 'x-github-event': 'issues', 'x-attempt': String(copies) }
        assert.deepEqual(await inbox.store({ ...first, headers }), { id, outcome: 'duplicate', conflict: false })
        assert.equal((await detailOf(inbox, id)).duplicates, copies)
      }
      const { redelivered, headers } = only(await unmatched(inbox, 10, 1e6))
      assert.equal(redelivered, true)
      assert.deepEqual(headers, first.headers)
      assert.equal(only((await inbox.list({})).deliveries).duplicates, 3)
    },
  },
  {
    id: 'duplicate-unfinished',
    name: 'starts no task for a copy of a delivery in any unfinished state',
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const first = newDelivery()
      const id = await storeNew(inbox, first)
      const copy = async (state: 'pending' | 'running' | 'retrying'): Promise<void> => {
        assert.deepEqual(await inbox.store(first), { id, outcome: 'duplicate', conflict: false })
        await assertState(inbox, id, state)
      }
      await copy('pending')
      await worker.match(id, due('a'))
      await copy('pending')
      const task = only(await worker.claim('a'))
      await copy('running')
      assert.deepEqual(await worker.claim('a'), [])
      await worker.finish(task, 'failed')
      await copy('retrying')
      assert.deepEqual(await worker.claim('a'), [])
      assert.deepEqual(await unmatched(inbox, 10, 1e6), [])
    },
  },
  {
    id: 'duplicate-done',
    name: 'starts no task for a copy of a delivery that is done, even if one of its tasks was discarded',
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a', 'b')
      const first = newDelivery()
      const id = await storeNew(inbox, first)
      await worker.handle(id, { a: 'succeeded', b: 'discarded' })
      assert.deepEqual(await inbox.store(first), { id, outcome: 'duplicate', conflict: false })
      await assertTasks(inbox, id, { a: 'done', b: 'discarded' })
      assert.deepEqual(await unmatched(inbox, 10, 1e6), [])
      assert.deepEqual(await worker.claim('a'), [])
    },
  },
  {
    id: 'duplicate-at-once',
    name: 'stores exactly one of several copies that arrive at the same time, through one inbox or several',
    needs: ['DeliveryReader'],
    async run(host) {
      const store = await host.create()
      const inboxes = [await store.open(), await store.open()] as const
      for (let round = 0; round < 20; round++) {
        const first = newDelivery()
        const receipts = await Promise.all([...inboxes, ...inboxes].map((inbox) => inbox.store(first)))
        assert.deepEqual(receipts.map(({ outcome }) => outcome).sort(), [
          'duplicate',
          'duplicate',
          'duplicate',
          'stored',
        ])
        assert.equal(new Set(receipts.map(({ id }) => id)).size, 1)
      }
      assert.equal((await inboxes[0].list({})).deliveries.length, 20)
    },
  },
]

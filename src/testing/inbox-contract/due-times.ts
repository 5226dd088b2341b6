import assert from 'node:assert/strict'
import { type InboxContractCase, openNew } from './case.ts'
import { minute, start, storeNew } from './deliveries.ts'
import { only } from './seen.ts'
import { due, ordered, TestWorker } from './test-worker.ts'

export const dueTimeCases: InboxContractCase[] = [
  {
    id: 'next-due',
    name: 'answers when the next task of some handlers is due',
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a', 'b', 'c')
      assert.equal(await inbox.nextDueAt(['a', 'b']), undefined)
      const [early, late] = [start + minute, start + 2 * minute]
      for (const [handler, nextAt] of [
        ['a', late],
        ['a', early],
        ['b', late],
      ] as const) {
        await worker.finish(await worker.begin(await storeNew(inbox), handler), 'failed', { nextAt })
      }
      assert.equal(await inbox.nextDueAt(['b', 'a', 'unknown']), early)
      assert.equal(await inbox.nextDueAt(['b']), late)
      for (const handlers of [['c'], []]) assert.equal(await inbox.nextDueAt(handlers), undefined)
      await worker.match(await storeNew(inbox), due('b'))
      assert.ok(((await inbox.nextDueAt(['a', 'b'])) ?? late) <= start)
      await worker.claim('b', 9)
      assert.equal(await inbox.nextDueAt(['a', 'b']), early)
    },
  },
  {
    id: 'next-due-unmatched',
    name: 'counts an unmatched delivery as due, whatever the handlers',
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const id = await storeNew(inbox)
      for (const handlers of [['a'], []]) assert.equal(await inbox.nextDueAt(handlers), 0)
      await worker.match(id)
      assert.equal(await inbox.nextDueAt(['a']), undefined)
    },
  },
  {
    id: 'next-due-waiting',
    name: 'leaves paused handlers and blocked tasks out of the time at which the next task is due',
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a', 'b')
      const [first, second] = [await storeNew(inbox), await storeNew(inbox)]
      const running = only(await worker.match(first, ordered('a', 'key', true)))
      await worker.match(second, ordered('a', 'key'))
      assert.equal(await inbox.nextDueAt(['a', 'b']), undefined)
      await worker.finish(running, 'failed', { nextAt: start + minute })
      assert.equal(await inbox.nextDueAt(['a', 'b']), start + minute)
      for (const handler of ['a', '*']) {
        await inbox.pause(handler)
        assert.equal(await inbox.nextDueAt(['a', 'b']), undefined)
        await inbox.resume(handler)
      }
      assert.equal(await inbox.nextDueAt(['a', 'b']), start + minute)
    },
  },
]

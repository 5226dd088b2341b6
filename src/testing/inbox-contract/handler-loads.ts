import assert from 'node:assert/strict'
import type { Store } from '../../inbox/inbox.ts'
import { type InboxContractCase, openNew } from './case.ts'
import { minute, start, storeMany, storeNew } from './deliveries.ts'
import { detailOf } from './seen.ts'
import { due, ordered, TestWorker } from './test-worker.ts'

export const handlerLoadCases: InboxContractCase[] = [
  {
    id: 'handler-loads',
    name: 'counts the due tasks and the running tasks of each handler, and says since when the first of them waits',
    needs: ['DeliveryReader', 'Statistics'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a', 'b', 'c')
      const [first = 0, second = 0, third = 0] = await storeMany(inbox, 3)
      assert.deepEqual(await loadsOf(inbox), {})
      await worker.match(first, due('a'), 'b')
      await worker.match(second, due('a'), 'b')
      const [ended] = await worker.match(third, 'c')
      assert.ok(ended)
      const { receivedAt } = await detailOf(inbox, first)
      const loads = { a: [2, receivedAt, 0], b: [0, undefined, 2] }
      assert.deepEqual(await loadsOf(inbox), { ...loads, c: [0, undefined, 1] })
      await worker.finish(ended, 'succeeded')
      assert.deepEqual(await loadsOf(inbox), loads)
    },
  },
  {
    id: 'handler-loads-later',
    name: 'counts a failed task as waiting from the time of its next attempt on',
    needs: ['DeliveryReader', 'Statistics'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const task = await worker.begin(await storeNew(inbox), 'a')
      await worker.finish(task, 'failed', { nextAt: start + minute })
      assert.deepEqual(await loadsOf(inbox, start + minute - 1), {})
      assert.deepEqual(await loadsOf(inbox, start + 2 * minute), { a: [1, start + minute, 0] })
    },
  },
  {
    id: 'handler-loads-order',
    name: 'counts the tasks that wait for another task with their order key',
    needs: ['DeliveryReader', 'Statistics'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const [first = 0, second = 0, third = 0] = await storeMany(inbox, 3)
      await worker.match(first, ordered('a', 'k', true))
      for (const id of [second, third]) await worker.match(id, ordered('a', 'k'))
      const { receivedAt } = await detailOf(inbox, second)
      assert.deepEqual(await loadsOf(inbox), { a: [2, receivedAt, 1] })
    },
  },
]

/** For each handler: how many tasks wait, since when, and how many run. */
async function loadsOf(
  inbox: Store,
  now: number = start,
): Promise<Record<string, [waiting: number, since: number | undefined, running: number]>> {
  const loads = await inbox.handlerLoads(now)
  return Object.fromEntries(
    loads.map(({ handler, waiting, waitingSince, running }) => [handler, [waiting, waitingSince, running]]),
  )
}

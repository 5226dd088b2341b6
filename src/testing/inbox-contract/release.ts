import assert from 'node:assert/strict'
import { type InboxContractCase, openNew } from './case.ts'
import { minute, start, storeNew } from './deliveries.ts'
import { assertState, assertTasks, only, taskOf } from './seen.ts'
import { due, ordered, TestWorker } from './test-worker.ts'

export const releaseCases: InboxContractCase[] = [
  {
    id: 'release',
    name: 'makes the tasks of a released worker due immediately, without counting their attempts',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a', 'b')
      const other = await TestWorker.register(inbox, 'a', 'b')
      const id = await storeNew(inbox)
      await worker.match(id, 'a', 'b')
      await inbox.releaseWorker(worker.id)
      await assertState(inbox, id, 'pending')
      await assertTasks(inbox, id, { a: 'pending', b: 'pending' })
      for (const handler of ['a', 'b']) {
        const again = only(await other.claim(handler))
        assert.deepEqual([again.attempt, again.attemptsUsed], [2, 1])
      }
      const { attempts } = await taskOf(inbox, id, 'a')
      assert.deepEqual(
        attempts.map(({ number, outcome }) => [number, outcome]),
        [
          [1, 'released'],
          [2, 'running'],
        ],
      )
    },
  },
  {
    id: 'release-late',
    name: 'ignores the outcomes of a released worker',
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const other = await TestWorker.register(inbox, 'a')
      const id = await storeNew(inbox)
      const task = await worker.begin(id, 'a')
      await inbox.releaseWorker(worker.id)
      assert.deepEqual(await worker.finish(task, 'dead'), [])
      await assertTasks(inbox, id, { a: 'pending' })
      const again = only(await other.claim('a'))
      assert.deepEqual(await worker.finish(task, 'dead'), [])
      await other.finish(again, 'succeeded')
      await assertState(inbox, id, 'done')
    },
  },
  {
    id: 'release-ended',
    name: 'claims no tasks for a worker after releaseWorker',
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const [id, fresh] = [await storeNew(inbox), await storeNew(inbox)]
      await worker.match(id, due('a'))
      await inbox.releaseWorker(worker.id)
      assert.deepEqual(await worker.claim('a').catch(() => []), [])
      assert.deepEqual(await worker.match(fresh, 'a').catch(() => []), [])
      await assertTasks(inbox, id, { a: 'pending' })
      await assertState(inbox, fresh, 'pending')
      await inbox.releaseWorker(worker.id)
    },
  },
  {
    id: 'release-own',
    name: 'releases no tasks of other workers',
    async run(host) {
      const inbox = await openNew(host)
      const [worker, other] = [await TestWorker.register(inbox, 'a', 'b'), await TestWorker.register(inbox, 'a', 'b')]
      const id = await storeNew(inbox)
      await worker.match(id, 'a', due('b'))
      const claimed = only(await other.claim('b'))
      await inbox.releaseWorker(worker.id)
      await assertTasks(inbox, id, { a: 'pending', b: 'running' })
      assert.equal((await other.finish(claimed, 'succeeded')).length, 1)
    },
  },
  {
    id: 'release-leases',
    name: 'releases the leases of a worker except those of the given attempts, and keeps the worker',
    async run(host) {
      const inbox = await openNew(host)
      const [worker, other] = [await TestWorker.register(inbox, 'a', 'b'), await TestWorker.register(inbox, 'a', 'b')]
      const [first, second] = [await storeNew(inbox), await storeNew(inbox)]
      const kept = only(await worker.match(first, 'a', due('b')))
      const released = only(await worker.claim('b'))
      await other.match(second, 'a')
      await inbox.releaseLeases(worker.id, [kept, { ...released, attempt: released.attempt + 1 }])
      await assertTasks(inbox, first, { a: 'running', b: 'pending' })
      await assertTasks(inbox, second, { a: 'running' })
      assert.deepEqual(await worker.finish(released, 'succeeded'), [])
      const again = only(await worker.claim('b'))
      assert.deepEqual([again.attempt, again.attemptsUsed], [2, 1])
      assert.equal((await worker.finish(kept, 'succeeded')).length, 1)
      assert.equal((await worker.finish(again, 'succeeded')).length, 1)
      await assertState(inbox, first, 'done')
    },
  },
  {
    id: 'release-leases-order',
    name: 'keeps the order of tasks when it releases the leases of a worker',
    async run(host) {
      const inbox = await openNew(host)
      const [worker, other] = [await TestWorker.register(inbox, 'a'), await TestWorker.register(inbox, 'a')]
      const [first, second] = [await storeNew(inbox), await storeNew(inbox)]
      await worker.match(first, ordered('a', 'key', true))
      await worker.match(second, ordered('a', 'key'))
      await inbox.releaseLeases(worker.id, [])
      const task = only(await other.claim('a', 2))
      assert.equal(task.id, first)
      await other.finish(task, 'succeeded')
      assert.equal(only(await other.claim('a', 2)).id, second)
    },
  },
  {
    id: 'release-attempt',
    name: 'does not count a released attempt, and counts those before it',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const id = await storeNew(inbox)
      await worker.finish(await worker.begin(id, 'a'), 'failed')
      const attemptsUsed: number[][] = []
      for (const outcome of ['released', 'released', 'failed', 'released', 'dead'] as const) {
        const task = only(await worker.claim('a', 1, start + minute))
        attemptsUsed.push([task.attempt, task.attemptsUsed])
        await worker.finish(task, outcome)
      }
      assert.deepEqual(attemptsUsed, [
        [2, 2],
        [3, 2],
        [4, 2],
        [5, 3],
        [6, 3],
      ])
      const outcomes = (await taskOf(inbox, id, 'a')).attempts.map(({ outcome }) => outcome)
      assert.deepEqual(outcomes, ['failed', 'released', 'released', 'failed', 'released', 'dead'])
    },
  },
]

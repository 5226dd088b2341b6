import assert from 'node:assert/strict'
import { type InboxContractCase, openNew } from './case.ts'
import { minute, start, storeNew } from './deliveries.ts'
import { assertState, assertTasks, only, taskOf } from './seen.ts'
import { due, TestWorker } from './test-worker.ts'

export const dismissalCases: InboxContractCase[] = [
  {
    id: 'dismiss',
    name: 'what a dismissed worker gives back is due at once, and no attempt counts for it',
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.enlist(inbox, 'a', 'b')
      const other = await TestWorker.enlist(inbox, 'a', 'b')
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
    id: 'dismiss-late',
    name: 'what a dismissed worker finishes is not recorded',
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.enlist(inbox, 'a')
      const other = await TestWorker.enlist(inbox, 'a')
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
    id: 'dismiss-ended',
    name: 'a dismissed worker begins nothing more',
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.enlist(inbox, 'a')
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
    id: 'dismiss-own',
    name: 'a worker gives back what is its own, and nothing of another',
    async run(host) {
      const inbox = await openNew(host)
      const [worker, other] = [await TestWorker.enlist(inbox, 'a', 'b'), await TestWorker.enlist(inbox, 'a', 'b')]
      const id = await storeNew(inbox)
      await worker.match(id, 'a', due('b'))
      const claimed = only(await other.claim('b'))
      await inbox.releaseWorker(worker.id)
      await assertTasks(inbox, id, { a: 'pending', b: 'running' })
      assert.equal((await other.finish(claimed, 'succeeded')).length, 1)
    },
  },
  {
    id: 'released',
    name: 'an attempt that is released does not count, those before it do',
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.enlist(inbox, 'a')
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

import assert from 'node:assert/strict'
import { type InboxContractCase, openNew } from './case.ts'
import { minute, newDelivery, start, storeMany, storeNew } from './deliveries.ts'
import { eventually } from './eventually.ts'
import { lineUp } from './order.ts'
import { assertState, assertTasks, only, taskOf } from './seen.ts'
import { ordered, policies, TestWorker } from './test-worker.ts'

/** Cases about tasks that keep or lose their place in the order. */
export const orderPlaceCases: InboxContractCase[] = [
  {
    id: 'order-given-back',
    name: 'if a worker releases the first task with an order key, claims this task again before later ones',
    async run(host) {
      const { worker, ids, inbox } = await lineUp(await openNew(host), 2)
      const other = await TestWorker.register(inbox, 'a')
      await worker.claim('a')
      await inbox.releaseWorker(worker.id)
      assert.equal(only(await other.claim('a', 10)).id, ids[0])
    },
  },
  {
    id: 'order-cut-off',
    name: 'if the process that runs the first task with an order key is killed, runs this task again before later ones',
    async run(host) {
      const store = await host.create()
      const { worker, ids, inbox } = await lineUp(await store.open(), 2)
      const doomed = await store.startWorker({ handlers: [{ name: 'a', backoff: 1 }], wanted: { a: 1 } })
      await doomed.kill()
      const again = await eventually(
        'the task is due',
        async () => (await worker.claim('a', 9, Date.now() + minute))[0],
      )
      assert.equal(again.id, ids[0])
      await worker.finish(again, 'succeeded')
      assert.equal(only(await worker.claim('a', 9)).id, ids[1])
      await assertTasks(inbox, ids[0] as number, { a: 'done', unordered: 'pending' })
    },
  },
  ...(['dead', 'discarded'] as const).map(
    (outcome) =>
      ({
        id: `order-${outcome}`,
        name: `starts the next task when the first ends as ${outcome}`,
        async run(host) {
          const { worker, ids } = await lineUp(await openNew(host), 2)
          await worker.finish(only(await worker.claim('a')), outcome)
          assert.equal(only(await worker.claim('a', 10)).id, ids[1])
        },
      }) satisfies InboxContractCase,
  ),
  ...(['pending', 'running', 'retrying'] as const).map(
    (state) =>
      ({
        id: `order-discarded-${state}`,
        name: `starts the next task when an operator discards the first while it is ${state}`,
        needs: ['DeliveryReader', 'Operations'],
        async run(host) {
          const { worker, ids, inbox } = await lineUp(await openNew(host), 2)
          const [first = 0] = ids
          const claimed = state === 'pending' ? undefined : only(await worker.claim('a'))
          if (claimed && state === 'retrying') await worker.finish(claimed, 'failed')
          await assertState(inbox, first, state)
          assert.equal(await inbox.discard({ ids: [first] }, 'not wanted'), 1)
          assert.equal(only(await worker.claim('a', 10)).id, ids[1])
        },
      }) satisfies InboxContractCase,
  ),
  {
    id: 'order-gone',
    name: 'starts a new task with the same key after all earlier tasks with the key have ended as gone',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'b')
      const ids = await storeMany(inbox, 3)
      for (const id of ids) await worker.match(id, ordered('a', 'key'))
      await eventually('all tasks are gone', async () => {
        return (await Promise.all(ids.map((id) => taskOf(inbox, id, 'a')))).every(({ state }) => state === 'gone')
      })
      await inbox.updateWorker(worker.id, policies('a'))
      const last = await storeNew(inbox)
      assert.equal((await worker.match(last, ordered('a', 'key', true))).length, 1)
    },
  },
  {
    id: 'order-rearmed',
    name: 'runs a rearmed task after the running task with the same key, but before pending tasks of later deliveries',
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const first = newDelivery()
      const ids = [await storeNew(inbox, first), ...(await storeMany(inbox, 2))]
      for (const id of ids) await worker.match(id, ordered('a', 'key'))
      await worker.finish(only(await worker.claim('a')), 'dead')
      const running = only(await worker.claim('a'))
      assert.equal(running.id, ids[1])

      await inbox.store(first)
      assert.deepEqual(await worker.match(ids[0] as number, ordered('a', 'key', true)), [])
      assert.deepEqual(await worker.claim('a', 10), [])
      await worker.finish(running, 'succeeded')
      for (const id of [ids[0], ids[2]]) {
        const next = only(await worker.claim('a', 10))
        assert.equal(next.id, id)
        await worker.finish(next, 'succeeded')
      }
    },
  },
  {
    id: 'order-rearmed-waiting',
    name: 'runs a rearmed task before a later task that waits for a retry',
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const first = newDelivery()
      const ids = [await storeNew(inbox, first), await storeNew(inbox)]
      for (const id of ids) await worker.match(id, ordered('a', 'key'))
      await worker.finish(only(await worker.claim('a')), 'dead')
      await worker.finish(only(await worker.claim('a')), 'failed', { nextAt: start + minute })
      await inbox.store(first)
      const claimed = only(await worker.match(ids[0] as number, ordered('a', 'key', true)))
      assert.deepEqual(await worker.claim('a', 10, start + minute), [])
      await worker.finish(claimed, 'succeeded')
      const last = only(await worker.claim('a', 10, start + minute))
      assert.deepEqual([last.id, last.attempt, last.attemptsUsed], [ids[1], 2, 2])
    },
  },
]

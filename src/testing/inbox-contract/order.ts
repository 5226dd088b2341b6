import assert from 'node:assert/strict'
import type { ClaimedTask, Store } from '../../inbox/inbox.ts'
import { type InboxContractCase, openNew } from './case.ts'
import { minute, newDelivery, start, storeMany, storeNew } from './deliveries.ts'
import { eventually } from './eventually.ts'
import { recordMatches } from './matching.ts'
import { assertState, assertTasks, isUnmatched, only, taskOf } from './seen.ts'
import { due, ordered, TestWorker } from './test-worker.ts'

export const orderCases: InboxContractCase[] = [
  {
    id: 'order',
    name: 'runs tasks with the same key one at a time, in order of receipt',
    async run(host) {
      const { worker, ids } = await lineUp(await openNew(host), 4)
      for (const id of ids) {
        const task = only(await worker.claim('a', 10))
        assert.deepEqual([task.id, task.ordered], [id, true])
        assert.deepEqual(await worker.claim('a', 10), [])
        await worker.finish(task, 'succeeded')
      }
    },
  },
  {
    id: 'order-at-once',
    name: 'claims only the oldest of several tasks with the same key that are matched together',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const ids = await storeMany(inbox, 3)
      const plans = ids.map((id) => ({ id, summary: {}, tasks: [ordered('a', 'key', true)] }))
      assert.deepEqual(
        (await recordMatches(inbox, worker.id, plans.reverse(), start)).map(({ id, ordered }) => [id, ordered]),
        [[ids[0], true]],
      )
      await assertTasks(inbox, ids[1] as number, { a: 'pending' })
      assert.equal((await taskOf(inbox, ids[2] as number, 'a')).key, 'key')
    },
  },
  {
    id: 'order-unmatched',
    name: 'matches a delivery with an order key only after all earlier deliveries',
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const [one, two, three] = [await storeNew(inbox), await storeNew(inbox), await storeNew(inbox)]
      assert.deepEqual(await worker.match(two, ordered('a', 'key', true)), [])
      assert.equal(await isUnmatched(inbox, two), true)
      assert.equal((await worker.match(three, 'a')).length, 1, 'a delivery without an ordered task is matched')
      await worker.match(one)
      assert.equal((await worker.match(two, ordered('a', 'key', true))).length, 1)
    },
  },
  {
    id: 'order-waiting',
    name: 'while the first task with an order key waits for a retry, claims no later task with this key',
    async run(host) {
      const { worker, ids } = await lineUp(await openNew(host), 2)
      await worker.finish(only(await worker.claim('a')), 'failed', { nextAt: start + minute })
      assert.deepEqual(await worker.claim('a', 10), [])
      const again = only(await worker.claim('a', 10, start + minute))
      assert.equal(again.id, ids[0])
      await worker.finish(again, 'succeeded')
      assert.equal(only(await worker.claim('a', 10)).id, ids[1])
    },
  },
  {
    id: 'order-next',
    name: 'when an attempt ends, claims the next task with the same order key if the result has nextBytes',
    async run(host) {
      const { worker, ids, inbox } = await lineUp(await openNew(host), 3)
      const first = only(await worker.claim('a'))
      const { next, ...status } = only(await worker.finish(first, 'succeeded', { nextBytes: 1e6 }))
      assert.deepEqual(status, { id: ids[0], state: 'pending' }) // because of the task of `unordered`
      const claimed = { id: ids[1], handler: 'a', attempt: 1, attemptsUsed: 1, replayed: false, ordered: true }
      assert.deepEqual(next, claimed)
      await assertTasks(inbox, ids[1] as number, { a: 'running', unordered: 'pending' })
      await assertState(inbox, ids[1] as number, 'running')
      assert.deepEqual(await worker.claim('a', 10), [])
      assert.equal('next' in only(await worker.finish(next as ClaimedTask, 'succeeded')), false)
      assert.equal(only(await worker.claim('a', 10)).id, ids[2])
    },
  },
  {
    id: 'order-next-repeated',
    name: 'returns the next task again if the answer was lost and the outcome is repeated',
    async run(host) {
      const { worker, ids } = await lineUp(await openNew(host), 2)
      const first = only(await worker.claim('a'))
      const began = only(await worker.finish(first, 'succeeded', { nextBytes: 1e6 })).next
      assert.equal(began?.id, ids[1])
      assert.deepEqual(only(await worker.finish(first, 'succeeded', { nextBytes: 1e6 })).next, began)
      assert.equal(only(await worker.finish(began as ClaimedTask, 'succeeded')).id, ids[1])
      assert.deepEqual(await worker.finish(first, 'succeeded', { nextBytes: 1e6 }), [])
    },
  },
  {
    id: 'order-next-earlier-attempt',
    name: 'does not return the next task for a repeated outcome of an earlier attempt',
    async run(host) {
      const { worker, ids } = await lineUp(await openNew(host), 2)
      const first = only(await worker.claim('a'))
      await worker.finish(first, 'failed', { nextAt: start, nextBytes: 1e6 })
      const second = only(await worker.claim('a'))
      assert.equal(second.attempt, 2)
      assert.equal(only(await worker.finish(second, 'succeeded', { nextBytes: 1e6 })).next?.id, ids[1])
      assert.deepEqual(await worker.finish(first, 'failed', { nextAt: start, nextBytes: 1e6 }), [])
    },
  },
  {
    id: 'order-next-discarded',
    name: 'does not return a task that another call has claimed when the attempt of a discarded delivery ended',
    needs: ['Operations'],
    async run(host) {
      const { inbox, worker, ids } = await lineUp(await openNew(host), 2)
      const first = only(await worker.claim('a'))
      await inbox.discard({ ids: [first.id] }, 'not wanted')
      const duration = 5
      assert.equal(only(await worker.claim('a', 1, start + duration)).id, ids[1])
      assert.deepEqual(await worker.finish(first, 'succeeded', { duration, nextBytes: 1e6 }), [])
    },
  },
  {
    id: 'order-next-late',
    name: 'claims no next task when the attempt of a discarded delivery ends, even if the delivery was retried',
    needs: ['Operations'],
    async run(host) {
      const { inbox, worker, ids } = await lineUp(await openNew(host), 2)
      const other = await TestWorker.register(inbox, 'a')
      const first = only(await worker.claim('a'))
      await inbox.discard({ ids: [first.id] }, 'not wanted')
      const running = only(await other.claim('a'))
      assert.equal(running.id, ids[1])
      await inbox.retry({ ids: [first.id] })
      await worker.match(first.id, ordered('a', 'key'), due('unordered'))
      assert.deepEqual(await worker.finish(first, 'succeeded', { nextBytes: 1e6 }), [])
      await assertTasks(inbox, first.id, { a: 'pending', unordered: 'pending' })
      await other.finish(running, 'succeeded')
      assert.equal(only(await worker.claim('a')).id, first.id)
    },
  },
  {
    id: 'order-next-retried',
    name: 'returns the next task again if an operator has retried the delivery before the outcome is repeated',
    needs: ['Operations'],
    async run(host) {
      const { inbox, worker, ids } = await lineUp(await openNew(host), 2)
      const first = only(await worker.claim('a'))
      const next = only(await worker.finish(first, 'succeeded', { nextBytes: 1e6 })).next
      assert.equal(next?.id, ids[1])
      await worker.finish(only(await worker.claim('unordered')), 'succeeded')
      await inbox.retry({ ids: [first.id] })
      await worker.match(first.id, ordered('a', 'key'), due('unordered'))
      assert.deepEqual(only(await worker.finish(first, 'succeeded', { nextBytes: 1e6 })).next, next)
    },
  },
  {
    id: 'order-next-matched',
    name: 'does not return a task that a match has claimed meanwhile if the outcome is repeated',
    async run(host) {
      const { inbox, worker } = await lineUp(await openNew(host), 1)
      const first = only(await worker.claim('a'))
      const ended = { duration: 0, nextBytes: 1e6 }
      assert.equal('next' in only(await worker.finish(first, 'succeeded', ended)), false)
      only(await worker.match(await storeNew(inbox), ordered('a', 'key', true)))
      assert.deepEqual(await worker.finish(first, 'succeeded', ended), [])
    },
  },
  {
    id: 'order-next-retry',
    name: 'keeps the place of a task that failed, and does not claim the next one',
    async run(host) {
      const { worker, ids } = await lineUp(await openNew(host), 2)
      const first = only(await worker.claim('a'))
      const failed = only(await worker.finish(first, 'failed', { nextBytes: 1e6 }))
      assert.equal('next' in failed, false)
      const again = only(await worker.claim('a', 10, start + minute))
      assert.equal(again.id, ids[0])
      assert.equal(only(await worker.finish(again, 'dead', { nextBytes: 1e6 })).next?.id, ids[1])
    },
  },
  {
    id: 'order-next-waiting',
    name: 'does not claim the next task before it is due, if it waits for a retry',
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const first = newDelivery()
      const ids = [await storeNew(inbox, first), await storeNew(inbox)]
      for (const id of ids) await worker.match(id, ordered('a', 'key'))
      await worker.finish(only(await worker.claim('a')), 'dead')
      await worker.finish(only(await worker.claim('a')), 'failed', { nextAt: start + minute })
      await inbox.store(first) // a copy: the dead delivery runs again, before the delivery that waits
      const again = only(await worker.match(ids[0] as number, ordered('a', 'key', true)))
      assert.equal('next' in only(await worker.finish(again, 'succeeded', { nextBytes: 1e6 })), false)
      assert.equal(only(await worker.claim('a', 10, start + minute)).id, ids[1])
    },
  },
  {
    id: 'order-next-due',
    name: 'leaves the next task due if its body is too large or its handler is paused',
    needs: ['Operations'],
    async run(host) {
      const { worker, ids, inbox } = await lineUp(await openNew(host), 3)
      const first = only(await worker.claim('a'))
      assert.equal('next' in only(await worker.finish(first, 'succeeded', { nextBytes: 1 })), false)
      const second = only(await worker.claim('a', 10))
      assert.equal(second.id, ids[1])
      await inbox.pause('a')
      assert.equal('next' in only(await worker.finish(second, 'succeeded', { nextBytes: 1e6 })), false)
      await inbox.resume('a')
      assert.equal(only(await worker.claim('a', 10)).id, ids[2])
    },
  },
  {
    id: 'order-next-alone',
    name: 'claims no next task after a task without a key, or for a worker that has lost its lease',
    async run(host) {
      const { worker, ids, inbox } = await lineUp(await openNew(host), 2)
      const unordered = only(await worker.claim('unordered'))
      assert.equal('next' in only(await worker.finish(unordered, 'succeeded', { nextBytes: 1e6 })), false)
      const first = only(await worker.claim('a'))
      await inbox.releaseWorker(worker.id)
      assert.deepEqual(await worker.finish(first, 'succeeded', { nextBytes: 1e6 }), [])
      await assertTasks(inbox, ids[1] as number, { a: 'pending', unordered: 'pending' })
    },
  },
  {
    id: 'order-arrives',
    name: 'does not claim a later task while the first one is unfinished',
    async run(host) {
      const { worker, ids, inbox } = await lineUp(await openNew(host), 1)
      const arrive = async (state: 'pending' | 'running' | 'retrying'): Promise<void> => {
        await assertTasks(inbox, ids[0] as number, { a: state, unordered: 'pending' })
        const later = await storeNew(inbox)
        assert.deepEqual(await worker.match(later, ordered('a', 'key', true)), [])
        await assertState(inbox, later, 'pending')
      }
      await arrive('pending')
      const first = only(await worker.claim('a', 10))
      await arrive('running')
      await worker.finish(first, 'failed')
      await arrive('retrying')
      assert.deepEqual(await worker.claim('a', 10), [])
    },
  },
  {
    id: 'order-blocked-by',
    name: 'names the delivery that a task waits for because of its order key',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const { inbox, worker, ids } = await lineUp(await openNew(host), 3)
      const assertBlocked = async (...indexes: (number | undefined)[]) => {
        const tasks = await Promise.all(ids.map((id) => taskOf(inbox, id, 'a')))
        const expected = indexes.map((index) => (index === undefined ? undefined : ids[index]))
        assert.deepEqual(
          tasks.map(({ blockedBy }) => blockedBy),
          expected,
        )
      }
      await assertBlocked(undefined, 0, 0)
      assert.equal((await taskOf(inbox, ids[1] as number, 'unordered')).blockedBy, undefined)
      const first = only(await worker.claim('a'))
      await worker.finish(first, 'failed')
      await assertBlocked(undefined, 0, 0)
      await worker.finish(only(await worker.claim('a', 1, start + minute)), 'dead')
      const second = only(await worker.claim('a'))
      await assertBlocked(undefined, undefined, 1)
      await inbox.retry({ ids: [first.id] })
      await worker.match(first.id, ordered('a', 'key'), due('unordered'))
      await assertBlocked(1, undefined, 0) // the first one waits for the attempt that runs
      await worker.finish(second, 'succeeded')
      await assertBlocked(undefined, undefined, 0)
    },
  },
  {
    id: 'order-independent',
    name: 'runs tasks with different keys, of different handlers or without a key independently of each other',
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a', 'b', 'c')
      const ids = await storeMany(inbox, 3)
      const claimed: string[] = []
      for (const [index, id] of ids.entries()) {
        const tasks = [ordered('a', `key ${index % 2}`, true), ordered('b', '', true), 'c']
        for (const task of await worker.match(id, ...tasks)) claimed.push(`${task.handler} ${index}`)
      }
      assert.deepEqual(claimed.sort(), ['a 0', 'a 1', 'b 0', 'c 0', 'c 1', 'c 2'])
    },
  },
  {
    id: 'order-race',
    name: 'keeps the order when workers of several processes compete',
    async run(host) {
      const store = await host.create()
      const inboxes = [await store.open(), await store.open()]
      const workers = await Promise.all([...inboxes, ...inboxes].map((inbox) => TestWorker.register(inbox, 'a')))
      const [worker, inbox] = [workers[0] as TestWorker, inboxes[0] as Store]
      const ids = await storeMany(inbox, 40)
      const keyOf = new Map(ids.map((id, index) => [id, `key ${index % 4}`]))
      for (const id of ids) await worker.match(id, ordered('a', keyOf.get(id) ?? ''))

      const [running, last] = [new Set<string>(), new Map<string, number>()]
      let ended = 0
      const work = async (one: TestWorker): Promise<boolean> => {
        for (const task of await one.claim('a', 3)) {
          const key = keyOf.get(task.id) ?? ''
          assert.equal(running.has(key), false, 'no other task with the same key runs')
          assert.ok((last.get(key) ?? 0) < task.id, 'in order of receipt')
          running.add(key)
          last.set(key, task.id)
          await new Promise(setImmediate)
          running.delete(key) // before the outcome is recorded, because the next task may start before the call returns
          await one.finish(task, 'succeeded')
          ended++
        }
        return ended === ids.length
      }
      await Promise.all(workers.map((one) => eventually('all tasks end', () => work(one))))
    },
  },
]

/** Matches new deliveries: their tasks for handler `a` have the same key, and those for `unordered` have none. */
export async function lineUp(
  inbox: Store,
  count: number,
): Promise<{ inbox: Store; worker: TestWorker; ids: number[] }> {
  const worker = await TestWorker.register(inbox, 'a', 'unordered')
  const ids = await storeMany(inbox, count)
  for (const id of ids) await worker.match(id, ordered('a', 'key'), due('unordered'))
  return { inbox, worker, ids }
}

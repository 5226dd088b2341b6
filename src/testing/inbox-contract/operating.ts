import assert from 'node:assert/strict'
import type { AttemptResult, NewDelivery, Store } from '../../inbox/inbox.ts'
import { type InboxContractCase, openNew } from './case.ts'
import { minute, newDelivery, start, storeMany, storeNew } from './deliveries.ts'
import { recordMatches, unmatched } from './matching.ts'
import { assertState, assertTasks, detailOf, isUnmatched, only, taskOf } from './seen.ts'
import { due, ordered, storeWithGoneTask, TestWorker } from './test-worker.ts'

export const operatingCases: InboxContractCase[] = [
  {
    id: 'retry-done',
    name: 'runs all handlers again when a done delivery is retried',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const { inbox, worker, id } = await ended(await openNew(host), { a: 'succeeded', b: 'succeeded' })
      assert.equal(await inbox.retry({ ids: [id] }), 1)
      await assertState(inbox, id, 'pending')
      assert.equal(await isUnmatched(inbox, id), true)
      const claimed = await worker.match(id, 'a', 'b')
      assert.deepEqual(
        claimed.map(({ handler, attempt, attemptsUsed }) => [handler, attempt, attemptsUsed]),
        [
          ['a', 2, 1],
          ['b', 2, 1],
        ],
      )
      for (const task of claimed) await worker.finish(task, 'succeeded')
      await assertState(inbox, id, 'done')
    },
  },
  ...(['dead', 'discarded', 'ignored'] as const).map(
    (state) =>
      ({
        id: `retry-${state}`,
        name: `when a delivery that is ${state} is retried, runs only the handlers that have not succeeded`,
        needs: ['DeliveryReader', 'Operations'],
        async run(host) {
          const others = { dead: { a: 'succeeded', b: 'dead' }, discarded: { b: 'discarded' }, ignored: {} } as const
          const { inbox, worker, id } = await ended(await openNew(host), others[state])
          assert.equal(await inbox.retry({ ids: [id, id] }), 1)
          assert.equal(await isUnmatched(inbox, id), true)
          const claimed = await worker.match(id, ...(state === 'dead' ? ['a', 'b'] : ['b']))
          assert.deepEqual([only(claimed).handler, only(claimed).attemptsUsed], ['b', 1])
          await worker.finish(only(claimed), 'succeeded')
          await assertState(inbox, id, 'done')
          assert.equal((await detailOf(inbox, id)).duplicates, 0)
        },
      }) satisfies InboxContractCase,
  ),
  {
    id: 'retry-waiting',
    name: 'makes retrying and dead tasks due now, resets their attemptsUsed to 0, and leaves running tasks alone',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a', 'b', 'c')
      const id = await storeNew(inbox)
      const claimed = await worker.match(id, 'a', 'b', 'c')
      for (const task of claimed)
        if (task.handler !== 'b') await worker.finish(task, task.handler === 'a' ? 'failed' : 'dead')
      assert.equal(await inbox.retry({ ids: [id] }), 1)
      await assertTasks(inbox, id, { a: 'pending', b: 'running', c: 'pending' })
      for (const handler of ['a', 'c']) {
        const again = only(await worker.claim(handler))
        assert.deepEqual([again.attempt, again.attemptsUsed], [2, 1])
      }
      assert.equal((await taskOf(inbox, id, 'a')).nextAttemptAt, undefined)
    },
  },
  {
    id: 'retry-nothing',
    name: 'retries nothing if all tasks of a delivery are pending or running, and ignores ids that do not exist',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const ids = await storeMany(inbox, 3)
      await worker.match(ids[1] as number, due('a'))
      await worker.match(ids[2] as number, 'a')
      assert.equal(await inbox.retry({ ids: [...ids, (ids[2] as number) + 1000] }), 0)
      assert.equal(await inbox.retry({ ids: [] }), 0)
      assert.equal(await isUnmatched(inbox, ids[0] as number), true)
      await assertTasks(inbox, ids[2] as number, { a: 'running' })
    },
  },
  {
    id: 'selected-states',
    name: 'retries and discards only deliveries that are in one of the given states at that time',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const inbox = await openNew(host)
      const [done, dead] = [await ended(inbox, { a: 'succeeded' }), await ended(inbox, { a: 'dead' })]
      const ids = [done.id, dead.id]
      assert.equal(await inbox.retry({ ids, states: ['retrying'] }), 0)
      assert.equal(await inbox.retry({ ids, states: ['retrying'] }, { handler: 'a' }), 0)
      assert.equal(await inbox.discard({ ids, states: ['retrying', 'done'] }, 'not wanted'), 0)
      await assertState(inbox, done.id, 'done')
      await assertState(inbox, dead.id, 'dead')
      assert.equal(await inbox.retry({ ids, states: ['retrying', 'dead'] }), 1)
      await assertState(inbox, done.id, 'done')
      assert.equal(await inbox.retry({ ids, states: ['done'] }, { handler: 'a' }), 1)
      assert.equal(await inbox.discard({ ids, states: ['pending'] }, 'not wanted'), 2)
    },
  },
  {
    id: 'retry-handler',
    name: 'retries one handler of a delivery that has ended, and leaves its other tasks alone',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const { inbox, worker, id } = await ended(await openNew(host), { a: 'succeeded', b: 'dead' })
      assert.equal(await inbox.retry({ ids: [id, id, id + 1000] }, { handler: 'a' }), 1)
      await assertTasks(inbox, id, { a: 'pending', b: 'dead' })
      await assertState(inbox, id, 'pending')
      assert.equal(await inbox.retry({ ids: [id] }, { handler: 'a' }), 0)
      const again = only(await worker.claim('a', 9))
      assert.deepEqual([again.attempt, again.attemptsUsed], [2, 1])
      assert.equal(await inbox.retry({ ids: [id] }, { handler: 'a' }), 0)
      await worker.finish(again, 'succeeded')
      await assertTasks(inbox, id, { a: 'done', b: 'dead' })
      await assertState(inbox, id, 'dead')
      assert.equal(await inbox.retry({ query: { state: 'dead' } }, { handler: 'b' }), 1)
      await assertTasks(inbox, id, { a: 'done', b: 'pending' })
    },
  },
  {
    id: 'retry-handler-unfinished',
    name: 'retries one handler of a delivery that has not ended, and none of a delivery without this task',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a', 'b', 'c')
      const [id = 0, fresh = 0] = await storeMany(inbox, 2)
      const claimed = await worker.match(id, 'a', 'b', 'c')
      for (const task of claimed) if (task.handler !== 'c') await worker.finish(task, 'failed')
      assert.equal(await inbox.retry({ ids: [id, fresh] }, { handler: 'a' }), 1)
      assert.equal(await inbox.retry({ ids: [id, fresh] }, { handler: 'unknown' }), 0)
      await assertTasks(inbox, id, { a: 'pending', b: 'retrying', c: 'running' })
      assert.equal(only(await worker.claim('a')).attemptsUsed, 1)
      assert.deepEqual(await worker.claim('b'), [])
    },
  },
  {
    id: 'retry-handler-discarded',
    name: 'removes the reason of a discarded delivery when one of its handlers is retried',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a', 'b')
      const id = await storeNew(inbox)
      for (const task of await worker.match(id, 'a', 'b')) if (task.handler === 'a') await worker.finish(task, 'failed')
      await inbox.discard({ ids: [id] }, 'not wanted')
      assert.equal(await inbox.retry({ ids: [id] }, { handler: 'a' }), 1)
      await assertTasks(inbox, id, { a: 'pending', b: 'discarded' })
      const { state, reason } = await detailOf(inbox, id)
      assert.deepEqual([state, reason], ['pending', undefined])
    },
  },
  {
    id: 'retry-handler-gone',
    name: 'retries a handler whose task is `gone`, and leaves the tasks that have succeeded alone',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a', 'b')
      const id = await storeWithGoneTask(inbox, worker)
      await assertTasks(inbox, id, { a: 'done', b: 'gone' })
      assert.equal(await inbox.retry({ ids: [id] }, { handler: 'b' }), 1)
      await assertTasks(inbox, id, { a: 'done', b: 'pending' })
      const { state, reason } = await detailOf(inbox, id)
      assert.deepEqual([state, reason], ['pending', undefined])
      assert.equal(only(await worker.claim('b')).attempt, 2)
    },
  },
  {
    id: 'retry-handler-order',
    name: 'blocks a retried task with an order key while another task with this key runs',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const [first = 0, second = 0] = await storeMany(inbox, 2)
      await worker.finish(only(await worker.match(first, ordered('a', 'k', true))), 'succeeded')
      const running = only(await worker.match(second, ordered('a', 'k', true)))
      assert.equal(await inbox.retry({ ids: [first] }, { handler: 'a' }), 1)
      assert.deepEqual(await worker.claim('a', 9), [])
      await worker.finish(running, 'succeeded')
      assert.equal(only(await worker.claim('a', 9)).id, first)
    },
  },
  {
    id: 'discard',
    name: 'discards unfinished deliveries, and shows the reason',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a', 'b')
      const [fresh = 0, pending = 0, running = 0, waiting = 0] = await storeMany(inbox, 4)
      await worker.match(pending, due('a'))
      const tasks = [await worker.begin(running, 'a'), ...(await worker.match(waiting, 'a', 'b'))]
      await worker.finish(tasks[1] as (typeof tasks)[0], 'failed')
      await worker.finish(tasks[2] as (typeof tasks)[0], 'succeeded')
      const ids = [fresh, pending, running, waiting]
      assert.equal(await inbox.discard({ ids: [...ids, ...ids, waiting + 1000] }, 'not wanted'), 4)
      for (const id of ids) {
        const { state, reason, nextAttemptAt } = await detailOf(inbox, id)
        assert.deepEqual(
          { state, reason, nextAttemptAt },
          { state: 'discarded', reason: 'not wanted', nextAttemptAt: undefined },
        )
      }
      await assertTasks(inbox, waiting, { a: 'discarded', b: 'done' })
      assert.deepEqual(await unmatched(inbox, 10, 1e6), [])
      assert.deepEqual(await worker.claim('a', 10, start + minute), [])
    },
  },
  {
    id: 'discard-running',
    name: 'shows a running task as discarded when its delivery is discarded, and ignores its outcome',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const first = newDelivery()
      const id = await storeNew(inbox, first)
      const task = await worker.begin(id, 'a')
      await inbox.discard({ ids: [id] }, 'not wanted')
      const { outcome, error } = only((await taskOf(inbox, id, 'a')).attempts)
      assert.deepEqual([outcome, error], ['discarded', 'not wanted'])
      assert.deepEqual(await worker.finish(task, 'succeeded'), [])
      await assertState(inbox, id, 'discarded')
      await inbox.store(first)
      const again = await worker.begin(id, 'a')
      assert.deepEqual([again.attempt, again.attemptsUsed], [2, 1])
      assert.deepEqual(await worker.finish(task, 'succeeded'), [])
      await inbox.releaseWorker(worker.id)
      await assertState(inbox, id, 'pending')
    },
  },
  {
    id: 'discard-ended',
    name: 'discards no deliveries that have ended, except dead ones',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const inbox = await openNew(host)
      const counts: number[] = []
      for (const outcomes of [{ a: 'succeeded' }, { a: 'discarded' }, {}, { a: 'dead', b: 'succeeded' }] as const) {
        const { id } = await ended(inbox, outcomes)
        counts.push(await inbox.discard({ ids: [id] }, 'not wanted'))
      }
      assert.deepEqual(counts, [0, 0, 0, 1])
      const states = (await inbox.list({})).deliveries.map(({ state }) => state)
      assert.deepEqual(states, ['discarded', 'ignored', 'discarded', 'done'])
    },
  },
  {
    id: 'discard-retried',
    name: 'undoes a retry when the delivery is discarded, so that a later copy does not rerun a successful handler',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const { inbox, worker, id, first } = await ended(await openNew(host), { a: 'succeeded' })
      assert.equal(await inbox.retry({ ids: [id] }), 1)
      assert.equal(await inbox.discard({ ids: [id] }, 'a mistake'), 1)
      assert.equal((await inbox.store(first)).outcome, 'rearmed')
      assert.deepEqual(await worker.match(id, 'a'), [])
      await assertState(inbox, id, 'done')
    },
  },
  {
    id: 'bulk',
    name: 'retries or discards exactly the deliveries that a query matches, and returns their number',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox)
      const [pushes, others] = [await storeMany(inbox, 520, { event: 'push' }), await storeMany(inbox, 3)]
      assert.equal(await inbox.discard({ query: { event: 'push' } }, 'not wanted'), 520)
      assert.equal((await inbox.overview()).states.discarded, 520)
      await recordMatches(
        inbox,
        worker.id,
        others.map((id) => ({ id, summary: {}, tasks: [] })),
        start,
      )
      assert.equal(await inbox.retry({ query: { state: 'ignored' } }), 3)
      assert.equal(await inbox.retry({ query: { state: 'discarded', until: start } }), 0)
      assert.equal(await inbox.retry({ query: { state: 'discarded', before: pushes[20] } }), 20)
      assert.equal(await inbox.retry({ query: { event: 'push', state: 'discarded', words: ['PUSH'] } }), 500)
      assert.equal((await inbox.overview()).states.pending, 523)
    },
  },
  {
    id: 'bulk-paths',
    name: 'discards all deliveries with a given payload value, however long the search takes',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const inbox = await openNew(host)
      await storeMany(inbox, 60)
      const wanted = await storeMany(inbox, 2, { body: new TextEncoder().encode('{"a":1}') })
      await storeMany(inbox, 60)
      const query = { paths: [{ path: ['a'], value: '1' }], budget: 1 }
      assert.equal(await inbox.discard({ query }, 'not wanted'), 2)
      for (const id of wanted) await assertState(inbox, id, 'discarded')
    },
  },
]

/** A delivery whose handlers have ended with these outcomes. */
async function ended(
  inbox: Store,
  outcomes: Readonly<Record<string, AttemptResult['outcome']>>,
): Promise<{ inbox: Store; worker: TestWorker; id: number; first: NewDelivery }> {
  const worker = await TestWorker.register(inbox, 'a', 'b')
  const first = newDelivery()
  const id = await storeNew(inbox, first)
  await worker.handle(id, outcomes)
  return { inbox, worker, id, first }
}

import assert from 'node:assert/strict'
import type { NewDelivery, Store } from '../../inbox/inbox.ts'
import { type InboxContractCase, openNew } from './case.ts'
import { newDelivery, storeNew } from './deliveries.ts'
import { recordMatches, unmatched } from './matching.ts'
import { assertState, assertTasks, detailOf, only, taskOf } from './seen.ts'
import { due, TestWorker } from './test-worker.ts'

export const rearmingCases: InboxContractCase[] = [
  ...(['dead', 'ignored', 'discarded'] as const).map(
    (state) =>
      ({
        id: `rearm-${state}`,
        name: `reruns a delivery that is ${state} when a copy of it arrives`,
        needs: ['DeliveryReader'],
        async run(host) {
          const inbox = await openNew(host)
          const worker = await TestWorker.register(inbox, 'a')
          const first = newDelivery()
          const id = await storeNew(inbox, first)
          await worker.handle(id, state === 'ignored' ? {} : { a: state })
          await assertState(inbox, id, state)

          assert.deepEqual(await inbox.store(first), { id, outcome: 'rearmed', conflict: false })
          await assertState(inbox, id, 'pending')
          const again = only(await unmatched(inbox, 10, 1e6))
          assert.deepEqual([again.id, again.redelivered], [id, true])
          const task = await worker.begin(id, 'a')
          await worker.finish(task, 'succeeded')
          await assertState(inbox, id, 'done')
          assert.equal((await detailOf(inbox, id)).duplicates, 1)
        },
      }) satisfies InboxContractCase,
  ),
  {
    id: 'rearm-once',
    name: 'counts a copy as a duplicate if the delivery is already rearmed',
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const first = newDelivery()
      const id = await storeNew(inbox, first)
      await worker.handle(id, { a: 'dead' })
      const receipts = await Promise.all([1, 2, 3].map(() => inbox.store(first)))
      assert.deepEqual(receipts.map(({ outcome }) => outcome).sort(), ['duplicate', 'duplicate', 'rearmed'])
      await worker.begin(id, 'a')
      assert.equal((await inbox.store(first)).outcome, 'duplicate')
    },
  },
  {
    id: 'rearm-rest',
    name: 'when a copy of a dead delivery arrives, reruns only the handlers that have not succeeded',
    needs: ['DeliveryReader'],
    async run(host) {
      const { inbox, worker, id, first } = await endedDead(await openNew(host))
      await inbox.store(first)
      await assertTasks(inbox, id, { a: 'done', b: 'dead', c: 'discarded' })
      const claimed = await worker.match(id, 'a', 'b', due('c'))
      assert.deepEqual(
        claimed.map(({ handler }) => handler),
        ['b'],
      )
      assert.deepEqual(await worker.claim('a'), [])
      assert.deepEqual(
        (await worker.claim('c')).map(({ handler }) => handler),
        ['c'],
      )
      await assertTasks(inbox, id, { a: 'done', b: 'running', c: 'running' })
    },
  },
  {
    id: 'rearm-numbers',
    name: 'keeps the earlier attempts of a handler that runs again, and continues their numbers',
    needs: ['DeliveryReader'],
    async run(host) {
      const { inbox, worker, id, first } = await endedDead(await openNew(host))
      await inbox.store(first)
      const task = only(await worker.match(id, 'b', due('c')))
      assert.deepEqual([task.attempt, task.attemptsUsed], [3, 1])
      await worker.finish(task, 'failed')
      const { nextAttemptAt } = await taskOf(inbox, id, 'b')
      const last = only(await worker.claim('b', 1, nextAttemptAt))
      assert.deepEqual([last.attempt, last.attemptsUsed], [4, 2])
      await worker.finish(last, 'succeeded')
      const other = only(await worker.claim('c'))
      assert.deepEqual([other.attempt, other.attemptsUsed], [2, 1])
      const { attempts } = await taskOf(inbox, id, 'b')
      assert.deepEqual(
        attempts.map(({ number }) => number),
        [1, 2, 3, 4],
      )
    },
  },
  {
    id: 'rearm-reason',
    name: 'when a delivery is rearmed, clears the reason why the delivery ended',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const first = newDelivery()
      const id = await storeNew(inbox, first)
      await recordMatches(inbox, worker.id, [{ id, summary: {}, tasks: [], invalid: 'no JSON' }], 0)
      await inbox.store(first)
      assert.equal((await detailOf(inbox, id)).reason, undefined)
      await worker.handle(id, { a: 'succeeded' })
      assert.equal((await detailOf(inbox, id)).reason, undefined)
    },
  },
]

/** A delivery: handler `a` has succeeded, `b` has failed in its second and last attempt, and `c` has discarded it. */
async function endedDead(inbox: Store): Promise<{ inbox: Store; worker: TestWorker; id: number; first: NewDelivery }> {
  const worker = await TestWorker.register(inbox, 'a', 'b', 'c')
  const first = newDelivery()
  const id = await storeNew(inbox, first)
  await worker.handle(id, { a: 'succeeded', b: 'failed', c: 'discarded' })
  const { nextAttemptAt } = await taskOf(inbox, id, 'b')
  await worker.finish(only(await worker.claim('b', 1, nextAttemptAt)), 'dead')
  await assertState(inbox, id, 'dead')
  return { inbox, worker, id, first }
}

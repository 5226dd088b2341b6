import assert from 'node:assert/strict'
import type { ClaimedTask } from '../../inbox/inbox.ts'
import { type InboxContractCase, openNew } from './case.ts'
import { minute, start, storeNew } from './deliveries.ts'
import { assertTasks, detailOf, only, taskOf } from './seen.ts'
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
    needs: ['Operations'],
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
  {
    id: 'due-handlers',
    name: 'lists the handlers that have due tasks and are not paused, if it can list handlers',
    needs: ['Operations'],
    async run(host) {
      const inbox = await openNew(host)
      if (!inbox.dueHandlers) return
      const worker = await TestWorker.register(inbox, 'a', 'b', 'c', 'd')
      const listed = async (now: number) => (await inbox.dueHandlers?.(now))?.sort()
      assert.deepEqual(await listed(start), [])
      await worker.match(await storeNew(inbox), due('a'), due('b'), 'c')
      await worker.finish(await worker.begin(await storeNew(inbox), 'd'), 'failed', { nextAt: start + minute })
      assert.deepEqual(await listed(start), ['a', 'b'])
      assert.deepEqual(await listed(start + minute), ['a', 'b', 'd'])
      await inbox.pause('a')
      assert.deepEqual(await listed(start), ['b'])
      await inbox.pause('*')
      assert.deepEqual(await listed(start), [])
    },
  },
  {
    id: 'start-later',
    name: 'claims a task with a start time when the time has come, and not before',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const id = await storeNew(inbox)
      const startAt = start + 7 * minute
      assert.deepEqual(await worker.match(id, { handler: 'a', claim: true, startAt }), [])
      await assertTasks(inbox, id, { a: 'pending' })
      for (const shown of [await taskOf(inbox, id, 'a'), await detailOf(inbox, id)]) {
        assert.equal(shown.nextAttemptAt, startAt)
      }
      assert.equal(only((await inbox.list({})).deliveries).nextAttemptAt, startAt)
      assert.equal(await inbox.nextDueAt(['a']), startAt)
      for (const now of [start, startAt - 1]) assert.deepEqual(await worker.claim('a', 1, now), [])
      const task = only(await worker.claim('a', 1, startAt))
      assert.deepEqual([task.id, task.attempt, task.attemptsUsed], [id, 1, 1])
      assert.equal((await detailOf(inbox, id)).nextAttemptAt, undefined)
      await worker.finish(task, 'released')
      assert.equal((await detailOf(inbox, id)).nextAttemptAt, undefined)
      assert.equal((await worker.claim('a')).length, 1, 'the time has come once')
    },
  },
  {
    id: 'start-later-blocked',
    name: 'shows no time for a delivery with a blocked task, because the task may become due before the start time of another',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a', 'b', 'c')
      const [first, second] = [await storeNew(inbox), await storeNew(inbox)]
      const running = only(await worker.match(first, ordered('a', 'key', true)))
      const startAt = start + minute
      const shown = async () => (await detailOf(inbox, second)).nextAttemptAt
      const [other] = await worker.match(second, ordered('a', 'key', true), { ...due('b'), startAt }, 'c')
      await worker.finish(other as ClaimedTask, 'succeeded')
      assert.equal(await shown(), undefined)
      await worker.finish(running, 'succeeded')
      assert.equal(await shown(), undefined)
      await worker.finish(only(await worker.claim('a')), 'succeeded')
      assert.equal(await shown(), startAt)
    },
  },
  {
    id: 'start-past',
    name: 'claims a task at once whose start time is in the past',
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const id = await storeNew(inbox)
      assert.equal(only(await worker.match(id, { handler: 'a', claim: true, startAt: start })).id, id)
    },
  },
  {
    id: 'start-later-order',
    name: 'blocks later tasks with the order key of a task that starts later',
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const [first, second] = [await storeNew(inbox), await storeNew(inbox)]
      await worker.match(first, { ...ordered('a', 'key', true), startAt: start + minute })
      assert.deepEqual(await worker.match(second, ordered('a', 'key', true)), [])
      assert.deepEqual(await worker.claim('a', 9), [])
      const task = only(await worker.claim('a', 9, start + minute))
      assert.equal(task.id, first)
      await worker.finish(task, 'succeeded')
      assert.equal(only(await worker.claim('a', 9)).id, second)
    },
  },
  {
    id: 'start-later-next',
    name: 'keeps the start time of a task that waits for another task with its order key',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const [first, second] = [await storeNew(inbox), await storeNew(inbox)]
      const running = only(await worker.match(first, ordered('a', 'key', true)))
      const startAt = start + minute
      await worker.match(second, { ...ordered('a', 'key', true), startAt })
      assert.equal((await detailOf(inbox, second)).nextAttemptAt, startAt)
      assert.equal(await inbox.nextDueAt(['a']), undefined)
      assert.equal('next' in only(await worker.finish(running, 'succeeded', { nextBytes: 1e6 })), false)
      assert.equal(await inbox.nextDueAt(['a']), startAt)
      assert.deepEqual(await worker.claim('a', 9), [])
      assert.equal(only(await worker.claim('a', 9, startAt)).id, second)
    },
  },
  {
    id: 'start-later-import',
    name: 'imports a task with its start time',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const [from, to] = [await openNew(host), await openNew(host)]
      const worker = await TestWorker.register(from, 'a')
      const ids = [await storeNew(from), await storeNew(from)]
      const startAt = start + minute
      for (const id of ids) await worker.match(id, { ...ordered('a', 'key'), startAt })
      for (const id of ids) {
        const body = await from.body(id)
        assert.ok(body)
        await to.importDeliveries([{ delivery: await detailOf(from, id), body }])
      }
      const importing = await TestWorker.register(to, 'a')
      for (const _id of ids) {
        assert.equal(await to.nextDueAt(['a']), startAt)
        await importing.finish(only(await importing.claim('a', 9, startAt)), 'succeeded')
      }
    },
  },
]

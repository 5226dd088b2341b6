import assert from 'node:assert/strict'
import { type InboxContractCase, openNew } from './case.ts'
import { day, newDelivery, start, storeNew } from './deliveries.ts'
import { eventually } from './eventually.ts'
import { matchAsPlanned } from './matching.ts'
import { assertState, assertTasks, only, taskOf } from './seen.ts'
import { due, ordered, policies, TestWorker } from './test-worker.ts'

export const handlerCases: InboxContractCase[] = [
  {
    id: 'handler-joins',
    name: 'adds a task for a new handler when a delivery runs again',
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a', 'b')
      const first = newDelivery()
      const id = await storeNew(inbox, first)
      await worker.handle(id, { a: 'dead' })
      await inbox.store(first)
      const claimed = await worker.match(id, 'a', 'b')
      assert.deepEqual(claimed.map(({ handler, attempt }) => [handler, attempt]).sort(), [
        ['a', 2],
        ['b', 1],
      ])
    },
  },
  {
    id: 'handler-vanished',
    name: 'ends a task as `gone` if its handler no longer matches, and keeps the outcomes of the other tasks',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a', 'b', 'c')
      const first = newDelivery()
      const id = await storeNew(inbox, first)
      await worker.handle(id, { a: 'succeeded', b: 'dead', c: 'discarded' })
      await inbox.store(first)
      const { claimed, gone } = await matchAsPlanned(inbox, worker.id, [{ id, summary: {}, tasks: [due('a')] }], start)
      assert.deepEqual(claimed, [])
      assert.deepEqual(
        gone?.toSorted((one, other) => one.handler.localeCompare(other.handler)),
        ['b', 'c'].map((handler) => ({ handler, count: 1 })),
      )
      await assertTasks(inbox, id, { a: 'done', b: 'gone', c: 'gone' })
      await assertState(inbox, id, 'done')
      assert.match((await inbox.get(id))?.reason ?? '', /ended as gone/)
      assert.equal((await taskOf(inbox, id, 'b')).attempts.length, 1)
    },
  },
  {
    id: 'handler-done-vanished',
    name: 'keeps the success of a handler that no longer matches',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a', 'b')
      const first = newDelivery()
      const id = await storeNew(inbox, first)
      await worker.handle(id, { a: 'succeeded', b: 'dead' })
      await inbox.store(first)
      await worker.match(id)
      await assertTasks(inbox, id, { a: 'done', b: 'gone' })
      await assertState(inbox, id, 'done')
    },
  },
  {
    id: 'handler-all-vanished',
    name: 'ends a delivery as ignored when all its tasks are gone, and runs it if a copy arrives and a handler matches',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const first = newDelivery()
      const id = await storeNew(inbox, first)
      await worker.handle(id, { a: 'dead' })
      await inbox.store(first)
      await worker.match(id)
      await assertTasks(inbox, id, { a: 'gone' })
      await assertState(inbox, id, 'ignored')
      await inbox.store(first)
      await worker.handle(id, { a: 'succeeded' })
      await assertState(inbox, id, 'done')
    },
  },
  {
    id: 'handler-other-program',
    name: 'keeps a task whose handler only another worker has, when the delivery runs again',
    needs: ['DeliveryReader'],
    async run(host) {
      const store = await host.create()
      const inbox = await store.open()
      const old = await TestWorker.register(inbox, 'removed', 'ordered', 'kept')
      const first = newDelivery()
      const id = await storeNew(inbox, first)
      const claimed = await old.match(id, 'removed', ordered('ordered', 'key', true), 'kept')
      for (const task of claimed) await old.finish(task, task.handler === 'kept' ? 'succeeded' : 'dead')
      const updated = await TestWorker.register(await store.open(), 'added', 'kept')
      await inbox.store(first)
      assert.deepEqual(
        (await updated.match(id, 'added', 'kept')).map(({ handler }) => handler),
        ['added'],
      )
      await assertTasks(inbox, id, { added: 'running', kept: 'done', ordered: 'pending', removed: 'pending' })
      assert.equal((await taskOf(inbox, id, 'ordered')).key, 'key')
      for (const handler of ['removed', 'ordered']) assert.equal(only(await old.claim(handler)).attempt, 2)
    },
  },
  {
    id: 'handler-restarts',
    name: 'does not end a task when the delivery runs again while the program that has its handler restarts',
    needs: ['DeliveryReader'],
    async run(host) {
      const store = await host.create()
      const inbox = await store.open()
      const old = await TestWorker.register(inbox, 'a', 'restarts')
      const first = newDelivery()
      const id = await storeNew(inbox, first)
      await old.handle(id, { a: 'succeeded', restarts: 'dead' })
      await inbox.releaseWorker(old.id)
      const other = await TestWorker.register(await store.open(), 'a')
      await inbox.store(first)
      const plan = { id, summary: {}, tasks: [due('a')] }
      const { matched, gone } = await matchAsPlanned(other.inbox, other.id, [plan], start)
      assert.deepEqual([matched, gone], [1, undefined])
    },
  },
  {
    id: 'handler-no-live-worker',
    name: 'ends a due task as `gone` if no live worker has its handler, and keeps a task if a worker has its handler',
    needs: ['DeliveryReader'],
    async run(host) {
      const store = await host.create()
      const inbox = await store.open()
      const worker = await TestWorker.register(inbox, 'a')
      await TestWorker.register(await store.open(), 'elsewhere')
      const [alone, beside] = [await storeNew(inbox), await storeNew(inbox)]
      await worker.match(beside, 'a', due('elsewhere'), due('nowhere'))
      await worker.match(alone, due('nowhere'))
      await eventually('a task without a live worker is gone', async () => {
        const tasks = [await taskOf(inbox, beside, 'nowhere'), await taskOf(inbox, alone, 'nowhere')]
        return tasks.every(({ state }) => state === 'gone')
      })
      await assertTasks(inbox, beside, { a: 'running', elsewhere: 'pending', nowhere: 'gone' })
      await assertState(inbox, alone, 'ignored')
    },
  },
  {
    id: 'handler-not-due',
    name: 'keeps a task that is not due, even if no worker has its handler',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'away', 'nowhere')
      const id = await storeNew(inbox)
      const task = await worker.begin(id, 'away')
      const now = Date.now() // stores find orphaned tasks by the real clock
      await worker.finish(task, 'failed', { startedAt: now, nextAt: now + day })
      const lost = await storeNew(inbox)
      await worker.match(lost, due('nowhere'))
      await inbox.updateWorker(worker.id, policies('a'))
      await eventually('the due task is gone', async () => (await taskOf(inbox, lost, 'nowhere')).state === 'gone')
      await assertState(inbox, id, 'retrying')
    },
  },
  {
    id: 'handler-added',
    name: 'ends a task as `gone` after its worker removed the handler, and keeps the tasks of kept and added handlers',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'old', 'kept')
      const id = await storeNew(inbox)
      await worker.match(id, due('kept'))
      await inbox.updateWorker(worker.id, policies('kept', 'new'))
      const later = await storeNew(inbox)
      await worker.match(later, due('old'), due('new'))
      await eventually(
        'the task of the old handler is gone',
        async () => (await taskOf(inbox, later, 'old')).state === 'gone',
      )
      await assertTasks(inbox, id, { kept: 'pending' })
      await assertTasks(inbox, later, { old: 'gone', new: 'pending' })
    },
  },
  {
    id: 'handler-no-worker',
    name: 'ends no task as `gone` while no worker is live',
    needs: ['DeliveryReader'],
    async run(host) {
      const store = await host.create()
      const inbox = await store.open()
      const worker = await TestWorker.register(inbox, 'a', 'b')
      const [running, idle] = [await storeNew(inbox), await storeNew(inbox)]
      await worker.match(running, due('a'))
      await worker.match(idle, due('b'))
      await inbox.releaseWorker(worker.id)
      const doomed = await store.startWorker({ handlers: policies('a', 'b'), wanted: { a: 1 } })
      await doomed.kill()
      await eventually(
        'the lease of the killed process expires',
        async () => (await taskOf(inbox, running, 'a')).state === 'retrying',
      )
      await assertTasks(inbox, idle, { b: 'pending' })
      const next = await TestWorker.register(inbox, 'a', 'b')
      assert.equal((await next.claim('b', 1, start)).length, 1)
    },
  },
]

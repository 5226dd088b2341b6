import assert from 'node:assert/strict'
import { type InboxContractCase, openNew } from './case.ts'
import { day, newDelivery, start, storeNew } from './deliveries.ts'
import { eventually } from './eventually.ts'
import { assertState, assertTasks, taskOf } from './seen.ts'
import { due, policies, TestWorker } from './test-worker.ts'

export const handlerCases: InboxContractCase[] = [
  {
    id: 'handler-joins',
    name: 'a handler that is new joins when a delivery is handled again',
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.enlist(inbox, 'a', 'b')
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
    name: 'one that no longer matches is gone, and what the others did counts',
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.enlist(inbox, 'a', 'b', 'c')
      const first = newDelivery()
      const id = await storeNew(inbox, first)
      await worker.handle(id, { a: 'succeeded', b: 'dead', c: 'discarded' })
      await inbox.store(first)
      assert.deepEqual(await worker.match(id, 'a'), [])
      await assertTasks(inbox, id, { a: 'done', b: 'gone', c: 'gone' })
      await assertState(inbox, id, 'done')
      assert.equal((await taskOf(inbox, id, 'b')).attempts.length, 1)
    },
  },
  {
    id: 'handler-done-vanished',
    name: 'what a handler did counts although it no longer matches',
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.enlist(inbox, 'a', 'b')
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
    name: 'when all are gone it is ignored; and runs when one comes back',
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.enlist(inbox, 'a')
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
    id: 'handler-nowhere',
    name: 'what is due for a handler that no living worker has ends gone; what another one has does not',
    async run(host) {
      const store = await host.create()
      const inbox = await store.open()
      const worker = await TestWorker.enlist(inbox, 'a')
      await TestWorker.enlist(await store.open(), 'elsewhere')
      const [alone, beside] = [await storeNew(inbox), await storeNew(inbox)]
      await worker.match(beside, 'a', due('elsewhere'), due('nowhere'))
      await worker.match(alone, due('nowhere'))
      await eventually('a task that nobody can run ends', async () => {
        const tasks = [await taskOf(inbox, beside, 'nowhere'), await taskOf(inbox, alone, 'nowhere')]
        return tasks.every(({ state }) => state === 'gone')
      })
      await assertTasks(inbox, beside, { a: 'running', elsewhere: 'pending', nowhere: 'gone' })
      await assertState(inbox, alone, 'ignored')
    },
  },
  {
    id: 'handler-not-due',
    name: 'what is not due yet may wait for its handler to come back',
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.enlist(inbox, 'away', 'nowhere')
      const id = await storeNew(inbox)
      const task = await worker.begin(id, 'away')
      const now = Date.now() // by which stores find what nobody will run
      await worker.finish(task, 'failed', { startedAt: now, nextAt: now + day })
      const lost = await storeNew(inbox)
      await worker.match(lost, due('nowhere'))
      await inbox.updateWorker(worker.id, policies('a'))
      await eventually('what is due is gone', async () => (await taskOf(inbox, lost, 'nowhere')).state === 'gone')
      await assertState(inbox, id, 'retrying')
    },
  },
  {
    id: 'handler-announced',
    name: 'a worker may come to other handlers, which are then no longer nowhere',
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.enlist(inbox, 'old', 'kept')
      const id = await storeNew(inbox)
      await worker.match(id, due('kept'))
      await inbox.updateWorker(worker.id, policies('kept', 'new'))
      const later = await storeNew(inbox)
      await worker.match(later, due('old'), due('new'))
      await eventually('the old one is gone', async () => (await taskOf(inbox, later, 'old')).state === 'gone')
      await assertTasks(inbox, id, { kept: 'pending' })
      await assertTasks(inbox, later, { old: 'gone', new: 'pending' })
    },
  },
  {
    id: 'handler-nobody',
    name: 'where no worker lives nothing is lost',
    async run(host) {
      const store = await host.create()
      const inbox = await store.open()
      const worker = await TestWorker.enlist(inbox, 'a', 'b')
      const [running, idle] = [await storeNew(inbox), await storeNew(inbox)]
      await worker.match(running, due('a'))
      await worker.match(idle, due('b'))
      await inbox.releaseWorker(worker.id)
      const doomed = await store.startWorker({ handlers: policies('a', 'b'), wanted: { a: 1 } })
      await doomed.kill()
      await eventually('its end is noticed', async () => (await taskOf(inbox, running, 'a')).state === 'retrying')
      await assertTasks(inbox, idle, { b: 'pending' })
      const next = await TestWorker.enlist(inbox, 'a', 'b')
      assert.equal((await next.claim('b', 1, start)).length, 1)
    },
  },
]

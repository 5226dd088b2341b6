import assert from 'node:assert/strict'
import type { Store } from '../../inbox/inbox.ts'
import { type InboxContractCase, openNew } from './case.ts'
import { day, json, minute, newDelivery, start, storeMany, storeNew } from './deliveries.ts'
import { eventually } from './eventually.ts'
import { detailOf } from './seen.ts'
import { due, policies, TestWorker } from './test-worker.ts'

const none = { pending: 0, running: 0, retrying: 0, dead: 0, discarded: 0, done: 0, ignored: 0 }

export const overviewCases: InboxContractCase[] = [
  {
    id: 'overview',
    name: 'counts deliveries by state',
    needs: ['DeliveryReader'],
    async run(host) {
      const store = await host.create()
      const inbox = await store.open()
      const empty = await inbox.overview()
      assert.deepEqual([empty.states, empty.oldestUnfinished, empty.paused], [none, undefined, []])
      const worker = await TestWorker.register(inbox, 'a')
      for (const outcome of ['succeeded', 'dead', 'discarded', 'failed', 'succeeded'] as const) {
        await worker.handle(await storeNew(inbox), { a: outcome })
      }
      await worker.match(await storeNew(inbox))
      await worker.match(await storeNew(inbox), 'a')
      await worker.match(await storeNew(inbox), due('a'))
      await storeNew(inbox)
      const expected = { pending: 2, running: 1, retrying: 1, dead: 1, discarded: 1, done: 2, ignored: 1 }
      for (const one of [inbox, await store.open()]) assert.deepEqual((await one.overview()).states, expected)
    },
  },
  {
    id: 'overview-oldest',
    name: 'returns the time at which the oldest unfinished delivery was received',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const ids: number[] = []
      for (let index = 0; index < 5; index++) ids.push(await storeNew(inbox, { receivedAt: start + index * minute }))
      const oldest: (number | undefined)[] = []
      const endings = [
        ['failed', 'succeeded'],
        ['succeeded'],
        ['failed', 'dead'],
        ['discarded'],
        ['succeeded'],
      ] as const
      for (const [index, outcomes] of endings.entries()) {
        let [task] = await worker.match(ids[index] as number, 'a')
        for (const outcome of outcomes) {
          oldest.push((await inbox.overview()).oldestUnfinished)
          if (task) await worker.finish(task, outcome, { nextAt: outcome === 'failed' ? start : undefined })
          oldest.push((await inbox.overview()).oldestUnfinished)
          ;[task] = await worker.claim('a')
        }
      }
      const expected = [0, 0, 0, 1, 1, 2, 2, 2, 2, 3, 3, 4, 4].map((index) => start + index * minute)
      assert.deepEqual(oldest, [...expected, undefined])
    },
  },
  {
    id: 'overview-handlers',
    name: 'lists handlers as long as a live worker has them',
    needs: ['DeliveryReader'],
    async run(host) {
      const store = await host.create()
      const [inbox, other] = [await store.open(), await store.open()]
      assert.deepEqual((await inbox.overview()).handlers, [])
      const worker = await TestWorker.register(inbox, 'b', 'a')
      const second = await TestWorker.register(other, 'b', '__proto__')
      assert.deepEqual((await inbox.overview()).handlers.toSorted(), ['__proto__', 'a', 'b'])
      await inbox.updateWorker(worker.id, policies('c'))
      assert.deepEqual((await other.overview()).handlers.toSorted(), ['__proto__', 'b', 'c'])
      await other.releaseWorker(second.id)
      assert.deepEqual((await inbox.overview()).handlers, ['c'])
    },
  },
  {
    id: 'overview-size',
    name: 'returns the size of the store',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const before = (await inbox.overview()).size
      assert.ok(before >= 0)
      // The first deliveries may take room that deleted rows have left.
      const grown = await eventually('the size has grown', async () => {
        for (let i = 0; i < 20; i++) await storeNew(inbox, { body: crypto.getRandomValues(new Uint8Array(60_000)) })
        return (await inbox.overview()).size - before > 500_000
      })
      assert.equal(grown, true)
    },
  },
  {
    id: 'key-values',
    name: 'returns the latest value of a name, also after the store is opened again',
    needs: ['KeyValues'],
    async run(host) {
      const store = await host.create()
      const inbox = await store.open()
      assert.equal(await inbox.getValue('a'), undefined)
      await inbox.setValue('a', 'first')
      await inbox.setValue('b', '')
      await inbox.setValue('a', 'naïve 🚀')
      await inbox.close()
      const again = await store.open()
      assert.deepEqual([await again.getValue('a'), await again.getValue('b')], ['naïve 🚀', ''])
      assert.equal(await again.getValue('constructor'), undefined)
    },
  },
  {
    id: 'compare-and-set',
    name: 'replaces a value only if it is the expected one, and loses no change of concurrent processes',
    needs: ['KeyValues'],
    async run(host) {
      const store = await host.create()
      const [one, other] = [await store.open(), await store.open()]
      assert.equal(await one.compareAndSet('a', 'first', 'second'), false)
      assert.equal(await one.getValue('a'), undefined)
      assert.equal(await one.compareAndSet('a', undefined, 'naïve 🚀'), true)
      assert.equal(await other.compareAndSet('a', undefined, 'second'), false)
      assert.equal(await other.compareAndSet('a', 'first', 'second'), false)
      assert.equal(await other.getValue('a'), 'naïve 🚀')
      assert.equal(await other.compareAndSet('a', 'naïve 🚀', ''), true)
      assert.equal(await one.compareAndSet('a', '', ''), true)

      const add = async (inbox: Store, name: string): Promise<void> => {
        const text = await inbox.getValue('list')
        if (!(await inbox.compareAndSet('list', text, `${text ?? ''}${name} `))) await add(inbox, name)
      }
      const names = Array.from({ length: 10 }, (_, index) => `n${index}`)
      await Promise.all(names.flatMap((name) => [add(one, `${name}a`), add(other, `${name}b`)]))
      const list = ((await one.getValue('list')) ?? '').trim().split(' ')
      assert.deepEqual(list.sort(), names.flatMap((name) => [`${name}a`, `${name}b`]).sort())
    },
  },
  {
    id: 'acked',
    name: 'has recorded the acknowledgement time of every delivery when close() resolves',
    needs: ['DeliveryReader'],
    async run(host) {
      const store = await host.create()
      const inbox = await store.open()
      const first = newDelivery()
      const ids = [await storeNew(inbox, first), ...(await storeMany(inbox, 3))]
      await inbox.close()
      const again = await store.open()
      for (const id of ids) {
        const { ackedAt, storedAt } = await detailOf(again, id)
        assert.ok(ackedAt !== undefined && ackedAt >= storedAt && Math.abs(ackedAt - Date.now()) < day / 2)
      }
      const { ackedAt } = await detailOf(again, ids[0] as number)
      assert.equal((await again.store(first)).outcome, 'duplicate')
      await again.close()
      assert.equal((await detailOf(await store.open(), ids[0] as number)).ackedAt, ackedAt)
    },
  },
  {
    id: 'acked-known',
    name: 'records the acknowledgement time of a conflict, and of a copy of a pruned delivery',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const store = await host.create()
      const inbox = await store.open()
      const [first, pruned] = [newDelivery(), newDelivery({ receivedAt: start - 400 * day })]
      await storeNew(inbox, first)
      const conflict = await inbox.store({ ...first, body: json({ other: 'bytes' }) })
      assert.deepEqual([conflict.outcome, conflict.conflict], ['stored', true])
      await inbox.discard({ ids: [await storeNew(inbox, pruned)] }, 'no use')
      assert.equal(await inbox.prune(Date.now()), 1)
      const copy = await inbox.store(pruned)
      assert.equal(copy.outcome, 'rearmed')
      await inbox.close()
      const again = await store.open()
      for (const { id } of [conflict, copy]) {
        const { ackedAt, storedAt } = await detailOf(again, id)
        assert.ok(ackedAt !== undefined && ackedAt >= storedAt)
      }
    },
  },
]

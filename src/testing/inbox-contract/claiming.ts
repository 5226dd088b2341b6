import assert from 'node:assert/strict'
import type { ClaimedTask } from '../../inbox/inbox.ts'
import { type InboxContractCase, openNew } from './case.ts'
import { newDelivery, start, storeMany, storeNew } from './deliveries.ts'
import { eventually } from './eventually.ts'
import { recordMatches, unmatched } from './matching.ts'
import { assertTasks, only } from './seen.ts'
import { due, TestWorker } from './test-worker.ts'

export const claimingCases: InboxContractCase[] = [
  {
    id: 'claim-limits',
    name: 'claims the requested number of tasks of each requested handler, in order of receipt',
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a', 'b', 'c', 'd')
      const ids = await storeMany(inbox, 4)
      for (const id of ids) await worker.match(id, due('a'), due('b'), due('c'), due('d'))
      const wanted = { a: 1, b: 3, c: 0, unknown: 2 }
      const claimed = await inbox.claim(worker.id, { wanted, bytes: 1e9, now: start })
      const expected = [
        ['a', ids[0]],
        ['b', ids[0]],
        ['b', ids[1]],
        ['b', ids[2]],
      ]
      assert.deepEqual(claimed.map(({ handler, id }) => [handler, id]).sort(), expected)
      await assertTasks(inbox, ids[0] as number, { a: 'running', b: 'running', c: 'pending', d: 'pending' })
      const rest = await inbox.claim(worker.id, { wanted: { a: 10, b: 10 }, bytes: 1e9, now: start })
      assert.deepEqual(rest.map(({ handler }) => handler).sort(), ['a', 'a', 'a', 'b'])
      assert.deepEqual(await inbox.claim(worker.id, { wanted: {}, bytes: 1e9, now: start }), [])
    },
  },
  {
    id: 'claim-retry-first',
    name: 'claims a retry before tasks of newer deliveries that have not run yet',
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const ids = await storeMany(inbox, 4)
      for (const id of ids) await worker.match(id, due('a'))
      const claim = async () => only(await inbox.claim(worker.id, { wanted: { a: 1 }, bytes: 1e9, now: start + 2 }))
      const task = await claim()
      await inbox.finish(worker.id, [{ ...task, outcome: 'failed', startedAt: start, duration: 1, nextAt: start + 2 }])
      const retried = await claim()
      assert.deepEqual([retried.id, retried.attempt], [ids[0], 2])
      assert.equal((await claim()).id, ids[1])
    },
  },
  {
    id: 'claim-names',
    name: 'claims no tasks of other handlers, whatever their names',
    async run(host) {
      const inbox = await openNew(host)
      const names = ['constructor', '__proto__', 'é', '\u{1f600}']
      const worker = await TestWorker.register(inbox, 'a', ...names)
      const id = await storeNew(inbox)
      await worker.match(id, due('a'), ...names.map(due))
      const claimed = await inbox.claim(worker.id, { wanted: { a: 9 }, bytes: 1e9, now: start })
      assert.deepEqual(
        claimed.map(({ handler }) => handler),
        ['a'],
      )
      for (const name of names) {
        const wanted = Object.fromEntries([[name, 1]])
        const [task] = await inbox.claim(worker.id, { wanted, bytes: 1e9, now: start })
        assert.equal(task?.handler, name)
      }
    },
  },
  {
    id: 'claim-bytes',
    name: 'claims tasks up to the byte limit, and at least one even if it exceeds the limit',
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const ids = await storeMany(inbox, 7, { body: new Uint8Array(1000) })
      for (const id of ids) await worker.match(id, due('a'))
      const counts: number[] = []
      for (const bytes of [1, 2500, 1999, 1e6])
        counts.push((await inbox.claim(worker.id, { wanted: { a: 9 }, bytes, now: start })).length)
      assert.deepEqual(counts, [1, 2, 1, 3])
    },
  },
  {
    id: 'claim-largest',
    name: 'skips tasks whose bodies are larger than `largest`, and claims them when `largest` allows it',
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const large = await storeMany(inbox, 3, { body: new Uint8Array(3000) })
      const small = await storeMany(inbox, 2, { body: new Uint8Array(1000) })
      for (const id of [...large, ...small]) await worker.match(id, due('a'))
      const claim = async (limit: number, largest?: number): Promise<number[]> => {
        const claimed = await inbox.claim(worker.id, { wanted: { a: limit }, bytes: 1e9, now: Date.now(), largest })
        return claimed.map(({ id }) => id)
      }
      assert.deepEqual(await claim(1, 2999), [small[0]])
      assert.deepEqual(await claim(9, 2999), [small[1]])
      const later: number[] = []
      await eventually('the large ones are claimed', async () => {
        later.push(...(await claim(9, 3000)))
        return later.length === large.length
      })
      assert.deepEqual(later.sort(), large)
    },
  },
  {
    id: 'claim-race',
    name: 'claims each task once when many workers of several processes compete',
    async run(host) {
      const store = await host.create()
      const inbox = await store.open()
      const inboxes = [inbox, await store.open(), await store.open()]
      const workers = await Promise.all([...inboxes, ...inboxes].map((one) => TestWorker.register(one, 'a', 'b')))
      const ids = await storeMany(inbox, 60)
      const plans = ids.map((id) => ({ id, summary: {}, tasks: [due('a'), due('b')] }))
      await recordMatches(inbox, only(workers.slice(0, 1)).id, plans, start)

      const claimed: ClaimedTask[] = []
      const race = async (worker: TestWorker): Promise<void> => {
        for (;;) {
          const tasks = await worker.inbox.claim(worker.id, { wanted: { a: 3, b: 2 }, bytes: 1e9, now: start })
          if (tasks.length === 0) return
          claimed.push(...tasks)
        }
      }
      await Promise.all(workers.map(race))
      // A claim skips the tasks that another claim has locked, and two last claims may skip the same ones.
      await race(only(workers.slice(0, 1)))
      const names = claimed.map(({ id, handler }) => `${id} ${handler}`).sort()
      assert.deepEqual(names, ids.flatMap((id) => [`${id} a`, `${id} b`]).sort())
      assert.deepEqual(new Set(claimed.map(({ attempt }) => attempt)), new Set([1]))
    },
  },
  {
    id: 'load',
    name: 'loads claimed deliveries as they were stored',
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const deliveries = [newDelivery(), newDelivery({ form: 'form', trace: 'a trace' }), newDelivery()]
      const ids: number[] = []
      for (const one of deliveries) ids.push(await storeNew(inbox, one))
      const before = await unmatched(inbox, 10, 1e6)
      for (const id of ids) await worker.match(id, 'a')
      const loaded = await inbox.load([...ids].reverse())
      assert.deepEqual(
        loaded.sort((a, b) => a.id - b.id),
        before,
      )
      assert.deepEqual(
        loaded.map(({ trace }) => trace),
        [undefined, 'a trace', undefined],
      )
    },
  },
]

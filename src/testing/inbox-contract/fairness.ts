import assert from 'node:assert/strict'
import type { ClaimedTask, MatchedTask, Store } from '../../inbox/inbox.ts'
import { type InboxContractCase, openNew } from './case.ts'
import { minute, start, storeMany, storeNew } from './deliveries.ts'
import { recordMatches } from './matching.ts'
import { TestWorker } from './test-worker.ts'

export const fairnessCases: InboxContractCase[] = [
  {
    id: 'fair',
    name: 'claims tasks of a fair key soon, although another key has many older tasks',
    async run(host) {
      const { worker, add } = await open(host)
      const busy = await add(600, { fairKey: 'busy' })
      const before = await claim(worker, 50)
      assert.deepEqual(before, busy.slice(0, 50), 'alone, a key has all claims')
      const small = await add(10, { fairKey: 'small' })
      const next: number[] = []
      while (next.length < 60) next.push(...(await claim(worker, 7)))
      assert.ok(
        small.every((id) => next.slice(0, 30).includes(id)),
        'they do not wait for the older tasks',
      )
      assert.deepEqual(onlyOf(next, small), small, 'in order of receipt')
      const rest = [...before, ...onlyOf(next, busy), ...(await claim(worker, 1000))]
      assert.deepEqual(rest, busy, 'all older tasks run, in order of receipt')
    },
  },
  {
    id: 'fair-several',
    name: 'claims one task of each fair key before the second one of any',
    async run(host) {
      const { worker, add } = await open(host)
      const tasks = { a: await add(4, { fairKey: 'a' }), b: await add(2, { fairKey: 'b' }) }
      tasks.a.push(...(await add(2, { fairKey: 'a' })))
      const c = await add(1, { fairKey: 'c' })
      const claimed: number[] = []
      for (let count = 0; count < 9; count++) claimed.push(...(await claim(worker, 1)))
      const places = [...tasks.b, ...c].map((id) => claimed.indexOf(id))
      assert.ok(Math.max(...places) < 6, `the places ${places} are among the first ones`)
      assert.deepEqual(onlyOf(claimed, tasks.a), tasks.a)
    },
  },
  {
    id: 'fair-backlog',
    name: 'claims older tasks too while tasks of other fair keys keep arriving',
    async run(host) {
      const { worker, add } = await open(host)
      const old = await add(20, { fairKey: 'old' })
      const claimed: number[] = []
      for (let count = 0; count < 20; count++) {
        await add(2, { fairKey: `new ${count}` })
        claimed.push(...(await claim(worker, 2)))
      }
      assert.ok(onlyOf(claimed, old).length >= 5, `${onlyOf(claimed, old).length} of 40 claims are of the old key`)
    },
  },
  {
    id: 'fair-retries',
    name: 'claims new tasks and retries of a fair key soon, although another key has many due retries',
    async run(host) {
      const { worker, inbox, add } = await open(host)
      const fail = async (id: number, nextAt: number) => {
        const result = { id, handler: 'a', attempt: 1, startedAt: start, duration: 1 }
        await inbox.finish(worker.id, [{ ...result, outcome: 'failed', nextAt }])
      }
      const busy = await add(40, { fairKey: 'busy' })
      for (const id of await claim(worker, 40)) await fail(id, start + minute)
      const small = await add(2, { fairKey: 'small' })
      const later = start + 3 * minute
      await fail((await claim(worker, 1))[0] as number, start + 2 * minute)
      const claimed: number[] = []
      while (claimed.length < busy.length + small.length) claimed.push(...(await claim(worker, 3, later)))
      const places = small.map((id) => claimed.indexOf(id))
      assert.ok(Math.max(...places) < 10, `the retry and the new task are claimed in the places ${places}`)
      assert.deepEqual(onlyOf(claimed, busy), busy)
      assert.deepEqual(await claim(worker, 9, later), [])
    },
  },
  {
    id: 'fair-delayed',
    name: 'claims delayed tasks of a fair key soon, although another key has many of them',
    async run(host) {
      const { worker, add } = await open(host)
      const busy = await add(60, { fairKey: 'busy', startAt: start + minute })
      const [own = 0] = await add(1, { fairKey: 'small', startAt: start + minute })
      const claimed: number[] = []
      while (claimed.length < 30) claimed.push(...(await claim(worker, 3, start + minute)))
      assert.ok(claimed.slice(0, 10).includes(own), `${own} is not among the first of ${claimed}`)
      claimed.push(...(await claim(worker, 100, start + minute)))
      assert.deepEqual(onlyOf(claimed, busy), busy)
    },
  },
  {
    id: 'fair-delayed-shown',
    name: 'shows no time of the next attempt for a delayed task that is due and has its turn later',
    needs: ['DeliveryReader'],
    async run(host) {
      const { worker, inbox, add } = await open(host)
      await add(3, { fairKey: 'busy', startAt: start + minute })
      await claim(worker, 1, start + minute)
      const waiting = (await inbox.list({ state: 'pending' })).deliveries
      assert.deepEqual(
        waiting.map(({ nextAttemptAt }) => nextAttemptAt),
        [undefined, undefined],
      )
    },
  },
  {
    id: 'fair-released',
    name: 'keeps the turns of waiting tasks when an attempt is released, and runs the released task first',
    async run(host) {
      const { worker, inbox, add } = await open(host)
      await add(30, { fairKey: 'busy' })
      await claim(worker, 20)
      const waiting = await add(1, { fairKey: 'small' })
      const released = await worker.begin(await storeNew(inbox), 'a')
      await worker.finish(released, 'released')
      const arriving = await add(3, { fairKey: 'new' })
      assert.deepEqual(await claim(worker, 1), [released.id])
      const claimed: number[] = []
      while (claimed.length < 10) claimed.push(...(await claim(worker, 1)))
      assert.deepEqual(onlyOf(claimed, [...waiting, ...arriving])[0], waiting[0], 'the older task is first')
    },
  },
  {
    id: 'fair-released-late',
    name: 'runs a released task first, also if its repository had many tasks when the task was added',
    async run(host) {
      const { worker, inbox, add } = await open(host)
      const busy = await add(20, { fairKey: 'busy' })
      const tasks = await inbox.claim(worker.id, { wanted: { a: 20 }, bytes: 1e9, now: start })
      const last = tasks.find(({ id }) => id === busy.at(-1)) as ClaimedTask
      const others = await add(5, { fairKey: 'small' })
      await worker.finish(last, 'released')
      const later = await add(1, { fairKey: 'busy' })
      assert.deepEqual(await claim(worker, 1), [last.id])
      assert.deepEqual(await claim(worker, 3), [...others.slice(0, 2), ...later])
    },
  },
  {
    id: 'fair-imported',
    name: 'gives imported tasks turns of their repository',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const [from, { worker, inbox, add }] = [await open(host), await open(host)]
      const live = await add(5, { fairKey: 'live' })
      for (const id of await storeMany(from.inbox, 10)) {
        const tasks = [{ handler: 'a', claim: false, fairKey: 'octo/old' }]
        await recordMatches(from.inbox, from.worker.id, [{ id, summary: { repository: 'octo/old' }, tasks }], start)
        const [delivery, body] = [await from.inbox.get(id), await from.inbox.body(id)]
        assert.ok(delivery && body)
        await inbox.importDeliveries([{ delivery, body }])
      }
      const claimed: number[] = []
      while (claimed.length < 15) claimed.push(...(await claim(worker, 1)))
      const places = live.map((id) => claimed.indexOf(id))
      assert.ok(Math.max(...places) < 10, `the places of the live tasks are ${places}`)
    },
  },
  {
    id: 'fair-order-together',
    name: 'gives tasks that become due by one call of finish turns one after the other',
    async run(host) {
      const { worker, inbox, add } = await open(host)
      for (let count = 0; count < 2; count++) {
        for (const key of ['1', '2', '3', '4', '5']) await add(1, { fairKey: 'busy', key })
      }
      const tasks = await inbox.claim(worker.id, { wanted: { a: 5 }, bytes: 1e9, now: start })
      assert.equal(tasks.length, 5)
      await inbox.finish(
        worker.id,
        tasks.map(({ id, attempt }) => ({
          ...{ id, handler: 'a', attempt, outcome: 'succeeded' },
          ...{ startedAt: start, duration: 1 },
        })),
      )
      const [small = 0] = await add(1, { fairKey: 'small' })
      const claimed: number[] = []
      while (claimed.length < 6) claimed.push(...(await claim(worker, 1)))
      assert.ok(claimed.indexOf(small) < 4, `${small} is not among the first of ${claimed}`)
    },
  },
  {
    id: 'fair-other-program',
    name: 'keeps the turns of a task whose handler only another program has, when the delivery is matched again',
    needs: ['Operations'],
    async run(host) {
      const { worker, inbox, add } = await open(host)
      const other = await TestWorker.register(inbox, 'b')
      const busy = await storeMany(inbox, 3)
      for (const id of busy) {
        const [task] = await worker.match(id, { handler: 'a', claim: true, fairKey: 'busy' })
        await worker.finish(task as ClaimedTask, 'dead')
      }
      const small = await add(3, { fairKey: 'small' })
      await inbox.retry({ ids: busy })
      for (const id of busy) await other.match(id)
      assert.deepEqual(await claim(worker, 1), small.slice(0, 1))
    },
  },
  {
    id: 'fair-order',
    name: 'claims tasks of an order key soon, although many other order keys have older tasks',
    async run(host) {
      const { worker, inbox, add } = await open(host)
      const keys = Array.from({ length: 12 }, (_, index) => `key ${index}`)
      const lines: number[][] = []
      for (const key of keys) lines.push(await add(6, { fairKey: key, key }))
      const small = await add(2, { fairKey: 'small', key: 'small' })
      const claimed: number[] = []
      while (claimed.length < 6 * keys.length + small.length) {
        const tasks = await inbox.claim(worker.id, { wanted: { a: 2 }, bytes: 1e9, now: start })
        claimed.push(...tasks.map(({ id }) => id))
        for (const task of tasks) await worker.finish(task, 'succeeded')
      }
      const places = small.map((id) => claimed.indexOf(id))
      assert.ok(
        places.every((place) => place < 3 * (keys.length + 1)),
        `their places are ${places}`,
      )
      for (const line of lines) assert.deepEqual(onlyOf(claimed, line), line, 'in order of receipt')
    },
  },
  {
    id: 'fair-retried',
    name: 'claims tasks of a fair key soon, although an operator retries many older tasks of another key',
    needs: ['Operations'],
    async run(host) {
      const { worker, inbox, add } = await open(host)
      const busy = await add(40, { fairKey: 'busy' })
      for (const id of await claim(worker, 40)) {
        const result = { id, handler: 'a', attempt: 1, startedAt: start, duration: 1 }
        await inbox.finish(worker.id, [{ ...result, outcome: 'failed', nextAt: start + minute }])
      }
      await add(30, { fairKey: 'small' })
      await claim(worker, 25)
      assert.equal(await inbox.retry({ ids: busy }), busy.length)
      const claimed = await claim(worker, 10)
      assert.ok(onlyOf(claimed, busy).length < 8, `${onlyOf(claimed, busy).length} of 10 claims are of the other key`)
    },
  },
]

const onlyOf = (ids: readonly number[], wanted: readonly number[]) => ids.filter((id) => wanted.includes(id))

/** A worker, and a function that stores deliveries and matches them with its handler. The match claims nothing. */
async function open(host: Parameters<typeof openNew>[0]) {
  const inbox: Store = await openNew(host)
  const worker = await TestWorker.register(inbox, 'a')
  const add = async (count: number, task: Pick<MatchedTask, 'key' | 'fairKey' | 'startAt'>): Promise<number[]> => {
    const ids = await storeMany(inbox, count)
    const plans = ids.map((id) => ({ id, summary: {}, tasks: [{ handler: 'a', claim: false, ...task }] }))
    await recordMatches(inbox, worker.id, plans, start)
    return ids
  }
  return { inbox, worker, add }
}

/** Claims tasks. @returns the ids of their deliveries, in ascending order: the order within a call does not matter. */
async function claim(worker: TestWorker, limit: number, now?: number): Promise<number[]> {
  return (await worker.claim('a', limit, now)).map(({ id }) => id).sort((a, b) => a - b)
}

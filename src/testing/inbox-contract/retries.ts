import assert from 'node:assert/strict'
import { latestTime } from '../../inbox/retry.ts'
import { type InboxContractCase, openNew } from './case.ts'
import { minute, second, start, storeNew } from './deliveries.ts'
import { assertState, detailOf, only, taskOf } from './seen.ts'
import { due, TestWorker } from './test-worker.ts'

export const retryCases: InboxContractCase[] = [
  {
    id: 'retry-due',
    name: 'claims a failed task when it is due by the caller’s clock, and not before',
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const id = await storeNew(inbox)
      const nextAt = start + 7 * minute
      await worker.finish(await worker.begin(id, 'a'), 'failed', { nextAt })
      for (const now of [start, nextAt - 1]) assert.deepEqual(await worker.claim('a', 1, now), [])
      const again = only(await worker.claim('a', 1, nextAt))
      assert.deepEqual([again.id, again.attempt, again.attemptsUsed], [id, 2, 2])
      assert.deepEqual(await worker.claim('a', 1, nextAt), [])
    },
  },
  {
    id: 'retry-shown',
    name: 'shows when each task is due, and the earliest of these times for the delivery',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a', 'b')
      const id = await storeNew(inbox)
      const [early, late] = [start + minute, start + 2 * minute]
      for (const task of await worker.match(id, 'a', 'b')) {
        await worker.finish(task, 'failed', { nextAt: task.handler === 'a' ? late : early })
      }
      assert.equal((await taskOf(inbox, id, 'a')).nextAttemptAt, late)
      assert.equal((await taskOf(inbox, id, 'b')).nextAttemptAt, early)
      assert.equal((await detailOf(inbox, id)).nextAttemptAt, early)
      assert.equal(only((await inbox.list({})).deliveries).nextAttemptAt, early)
      await worker.finish(only(await worker.claim('b', 1, early)), 'succeeded')
      assert.equal((await detailOf(inbox, id)).nextAttemptAt, late)
      await worker.finish(only(await worker.claim('a', 1, late)), 'succeeded')
      assert.equal((await detailOf(inbox, id)).nextAttemptAt, undefined)
      assert.equal((await taskOf(inbox, id, 'a')).nextAttemptAt, undefined)
    },
  },
  {
    id: 'retry-far',
    name: 'accepts the latest possible time for a retry, without effect on other tasks',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const far = await worker.begin(await storeNew(inbox), 'a')
      const soon = await worker.begin(await storeNew(inbox), 'a')
      const common = { outcome: 'failed', startedAt: start, duration: 1 } as const
      await inbox.finish(worker.id, [
        { ...far, ...common, nextAt: latestTime },
        { ...soon, ...common, nextAt: start + minute },
      ])
      assert.equal((await taskOf(inbox, far.id, 'a')).nextAttemptAt, latestTime)
      assert.equal(only(await worker.claim('a', 2, start + minute)).id, soon.id)
    },
  },
  {
    id: 'retry-count',
    name: 'counts each attempt, up to the last one',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const id = await storeNew(inbox)
      let task = await worker.begin(id, 'a')
      for (let count = 1; count <= 12; count++) {
        assert.deepEqual([task.attempt, task.attemptsUsed], [count, count])
        const now = start + count * minute
        if (count === 12) await worker.finish(task, 'dead')
        else {
          await worker.finish(task, 'failed', { nextAt: now })
          task = only(await worker.claim('a', 1, now))
        }
      }
      await assertState(inbox, id, 'dead')
      const { attempts } = await taskOf(inbox, id, 'a')
      assert.deepEqual(
        attempts.map(({ number }) => number),
        Array.from({ length: 12 }, (_, index) => index + 1),
      )
      assert.deepEqual(await worker.claim('a', 1, Date.now()), [])
    },
  },
  {
    id: 'retry-own',
    name: 'retries a handler independently of the other handlers',
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a', 'b', 'c')
      const id = await storeNew(inbox)
      await worker.handle(id, { a: 'succeeded', b: 'failed', c: 'discarded' })
      const again = await inbox.claim(worker.id, { wanted: { a: 5, b: 5, c: 5 }, bytes: 1e6, now: start + minute })
      assert.equal(only(again).handler, 'b')
    },
  },
  {
    id: 'attempts',
    name: 'records each attempt with its times, outcome, error, result and log',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const id = await storeNew(inbox)
      const long = 'naïve 🚀\n'.repeat(1800)
      const none = { error: undefined, result: undefined, log: undefined }
      const said = [
        { outcome: 'failed', startedAt: start + 1, duration: 0, ...none, error: 'Error: naïve 🚀\n    at line 1' },
        { outcome: 'failed', startedAt: start + 2, duration: 900_000, ...none, error: long, log: long },
        { outcome: 'released', startedAt: start + 3, duration: 3, ...none },
        { outcome: 'succeeded', startedAt: start + 4, duration: 4, ...none, result: '{"a":1}', log: 'a line\n' },
      ] as const
      await worker.match(id, due('a'))
      for (const [index, { outcome, ...rest }] of said.entries()) {
        const now = start + index * second
        const task = only(await worker.claim('a', 1, now))
        const running = (await taskOf(inbox, id, 'a')).attempts.at(-1)
        assert.deepEqual(running, {
          number: index + 1,
          startedAt: now,
          duration: undefined,
          outcome: 'running',
          ...none,
        })
        const nextAt = outcome === 'failed' ? start + (index + 1) * second : undefined
        await worker.finish(task, outcome, { ...rest, nextAt })
      }
      const { attempts } = await taskOf(inbox, id, 'a')
      assert.deepEqual(
        attempts,
        said.map((one, index) => ({ number: index + 1, ...one })),
      )
    },
  },
  {
    id: 'attempts-odd',
    name: 'records an outcome whatever text the handler throws, returns or logs',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      for (const text of ['cut\0off', 'cut\ud83d', 'cut\udc00\ud83d', '']) {
        const id = await storeNew(inbox)
        const texts = { error: text, result: text, log: text, duration: 2 ** 40 }
        assert.deepEqual(await worker.finish(await worker.begin(id, 'a'), 'dead', texts), [{ id, state: 'dead' }])
        const { error, result, log } = only((await taskOf(inbox, id, 'a')).attempts)
        for (const kept of [error, result, log]) assert.ok(text === '' ? !kept : kept?.startsWith('cut'))
      }
    },
  },
]

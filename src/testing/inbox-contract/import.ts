import assert from 'node:assert/strict'
import type { ImportedDelivery, Store } from '../../inbox/inbox.ts'
import type { DeliveryDetail, TaskDetail } from '../../inbox/records.ts'
import { latestTime } from '../../inbox/retry.ts'
import { type InboxContractCase, type InboxContractHost, openNew } from './case.ts'
import { minute, newDelivery, start, storeNew } from './deliveries.ts'
import { assertTasks, detailOf, isUnmatched, only } from './seen.ts'
import { due, ordered, TestWorker } from './test-worker.ts'

export const importCases: InboxContractCase[] = [
  {
    id: 'import',
    name: 'imports a delivery with its bytes, headers, tasks and attempts',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const { from, to } = await two(host)
      const worker = await TestWorker.register(from, 'a', 'b')
      const id = await storeNew(from, {
        secretId: 's',
        secretIndex: 1,
        body: new Uint8Array([123, 34, 255, 0, 10, 125]),
      })
      const claimed = await worker.match(id, 'a', 'b')
      for (const task of claimed) {
        const more = { result: 'r', error: 'e', log: 'l' }
        await worker.finish(task, task.handler === 'a' ? 'succeeded' : 'dead', more)
      }
      assert.equal(await move(from, to, id), 1)
      const [there, here] = [await detailOf(from, id), await detailOf(to, await newest(to))]
      assert.deepEqual(comparable(here), comparable(there))
      assert.deepEqual(await to.body(here.id), await from.body(id))
    },
  },
  {
    id: 'import-copies',
    name: 'skips deliveries that are stored already, and recognizes copies of imported ones',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const { from, to } = await two(host)
      const worker = await TestWorker.register(from, 'a')
      const one = newDelivery()
      const { id } = await from.store(one)
      await worker.handle(id, { a: 'succeeded' })
      assert.equal(await move(from, to, id), 1)
      assert.equal(await move(from, to, id), 0)
      assert.equal((await to.list({})).deliveries.length, 1)
      assert.equal((await to.store(one)).outcome, 'duplicate')
      const { outcome, conflict } = await to.store({ ...one, body: new Uint8Array([1]) })
      assert.deepEqual([outcome, conflict], ['stored', true])
    },
  },
  {
    id: 'import-unmatched',
    name: 'imports deliveries that were retried or redelivered, and not matched since then, as unmatched',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const { from, to } = await two(host)
      const worker = await TestWorker.register(from, 'a', 'b')
      const redelivered = newDelivery()
      const [done, dead] = [await storeNew(from), (await from.store(redelivered)).id]
      await worker.handle(done, { a: 'succeeded', b: 'succeeded' })
      await worker.handle(dead, { a: 'succeeded', b: 'dead' })
      assert.equal(await from.retry({ ids: [done] }), 1)
      assert.equal((await from.store(redelivered)).outcome, 'rearmed')
      const there = await TestWorker.register(to, 'a', 'b')
      for (const [id, handlers] of [
        [done, ['a', 'b']],
        [dead, ['b']],
      ] as const) {
        assert.equal(await move(from, to, id), 1)
        const moved = await newest(to)
        assert.deepEqual([(await detailOf(to, moved)).state, await isUnmatched(to, moved)], ['pending', true])
        const claimed = await there.match(moved, 'a', 'b')
        assert.deepEqual(claimed.map(({ handler }) => handler).toSorted(), handlers)
      }
    },
  },
  {
    id: 'import-rearmed',
    name: 'runs no handler again that succeeded before an operator discarded the delivery and a copy rearmed it',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const { from, to } = await two(host)
      const worker = await TestWorker.register(from, 'a', 'b')
      const one = newDelivery()
      const { id } = await from.store(one)
      await worker.handle(id, { a: 'succeeded', b: 'dead' })
      await from.discard({ ids: [id] }, 'not wanted')
      assert.equal((await from.store(one)).outcome, 'rearmed')
      const old = await importedOf(from, id)
      const { rerun, ...delivery } = old.delivery
      assert.equal(rerun, false)
      const there = await TestWorker.register(to, 'a', 'b')
      for (const imported of [old, { ...old, delivery: { ...delivery, guid: 'of an export without rerun' } }]) {
        assert.equal(await to.importDeliveries([imported]), 1)
        const claimed = await there.match(await newest(to), 'a', 'b')
        assert.deepEqual(
          claimed.map(({ handler }) => handler),
          ['b'],
        )
      }
    },
  },
  {
    id: 'import-conflict',
    name: 'imports conflicting deliveries, and recognizes copies of each of them',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const { from, to } = await two(host)
      const one = newDelivery()
      const other = { ...one, body: new Uint8Array([1]) }
      const ids = [(await from.store(one)).id, (await from.store(other)).id]
      for (const id of ids) assert.equal(await move(from, to, id), 1)
      for (const id of ids) assert.equal(await move(from, to, id), 0)
      for (const [copy, conflict] of [[one, false] as const, [other, true] as const]) {
        const stored = await to.store(copy)
        assert.deepEqual([stored.outcome, stored.conflict], ['duplicate', conflict])
      }
    },
  },
  {
    id: 'import-pulled',
    name: 'recognizes copies with other bytes if one of the two was pulled',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const { from, to } = await two(host)
      const [one, other] = [newDelivery(), newDelivery()]
      const pulled = { body: new Uint8Array([1]), pulled: true }
      await to.store(one)
      await to.store({ ...other, ...pulled })
      const ids = [(await from.store({ ...one, ...pulled })).id, (await from.store(other)).id]
      for (const id of ids) assert.equal(await move(from, to, id), 0)
      const alone = newDelivery()
      assert.equal(await move(from, to, (await from.store({ ...alone, ...pulled })).id), 1)
      assert.equal((await to.store(alone)).outcome, 'duplicate')
    },
  },
  {
    id: 'import-unfinished',
    name: 'runs imported deliveries that are unfinished, and marks their running attempts as cut off',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const { from, to } = await two(host)
      const worker = await TestWorker.register(from, 'a', 'b')
      const unmatched = await storeNew(from)
      const matched = await storeNew(from)
      const running = await storeNew(from)
      const waiting = await storeNew(from)
      await worker.match(matched, due('a'))
      const [ran] = await worker.match(running, 'a', due('b'))
      await worker.finish(only(await worker.match(waiting, 'a')), 'failed', { nextAt: start + minute })
      for (const id of [unmatched, matched, running, waiting]) await move(from, to, id)
      const ids = (await to.list({})).deliveries.map(({ id }) => id).toSorted((a, b) => a - b)
      assert.equal(await isUnmatched(to, ids[0] as number), true)
      await assertTasks(to, ids[2] as number, { a: 'pending', b: 'pending' })
      const { attempts } = (await detailOf(to, ids[2] as number)).tasks[0] as TaskDetail
      assert.deepEqual(
        attempts.map(({ number, outcome }) => [number, outcome]),
        [[ran?.attempt, 'cut off']],
      )
      const other = await TestWorker.register(to, 'a', 'b')
      const again = await other.claim('a', 9)
      assert.deepEqual(
        again.map(({ id, attempt, attemptsUsed }) => [id, attempt, attemptsUsed]),
        [
          [ids[1], 1, 1],
          [ids[2], 2, 2],
        ],
      )
      assert.equal(only(await other.claim('a', 9, start + minute)).id, ids[3])
    },
  },
  {
    id: 'import-ahead',
    name: 'keeps how many attempts of an imported task do not count, including a running one that was claimed ahead',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const { from, to } = await two(host)
      const worker = await TestWorker.register(from, 'a')
      const id = await storeNew(from)
      await worker.match(id, { handler: 'a', claim: true, ahead: true })
      await move(from, to, id)
      const { uncounted, attempts } = only((await detailOf(to, await newest(to))).tasks)
      assert.deepEqual([uncounted, attempts.map(({ outcome }) => outcome)], [1, ['cut off']])
      const again = only(await (await TestWorker.register(to, 'a')).claim('a'))
      assert.deepEqual([again.attempt, again.attemptsUsed, again.uncounted], [2, 1, undefined])
    },
  },
  {
    id: 'import-reset',
    name: 'counts no attempts of an imported task from before an operator retried it, or a copy rearmed it',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const { from, to } = await two(host)
      const worker = await TestWorker.register(from, 'a')
      const rearmed = newDelivery()
      const ids = [(await from.store(rearmed)).id, await storeNew(from)]
      for (const id of ids) {
        await worker.finish(only(await worker.match(id, 'a')), 'failed', { nextAt: start })
        await worker.finish(only(await worker.claim('a')), 'dead')
      }
      await from.store(rearmed)
      await worker.finish(only(await worker.match(ids[0] as number, 'a')), 'failed', { nextAt: start })
      assert.equal(await from.retry({ ids: ids.slice(1) }, { handler: 'a' }), 1)
      ids.push(await storeNew(from))
      await worker.finish(only(await worker.match(ids[2] as number, 'a')), 'failed', { nextAt: start })
      for (const id of ids) await move(from, to, id)
      const other = await TestWorker.register(to, 'a')
      const claimed = (await other.claim('a', 9)).toSorted((a, b) => a.id - b.id)
      assert.deepEqual(
        claimed.map(({ attempt, attemptsUsed, uncounted }) => [attempt, attemptsUsed, uncounted]),
        [
          [4, 2, undefined],
          [3, 1, undefined],
          [2, 2, undefined],
        ],
      )
    },
  },
  {
    id: 'import-order',
    name: 'runs imported tasks with the same key one at a time',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const { from, to } = await two(host)
      const worker = await TestWorker.register(from, 'a')
      const ids = [await storeNew(from), await storeNew(from)]
      for (const id of ids) await worker.match(id, ordered('a', 'key'))
      for (const id of ids) await move(from, to, id)
      const other = await TestWorker.register(to, 'a')
      const [first, ...none] = await other.claim('a', 9)
      assert.deepEqual(none, [])
      if (first) await other.finish(first, 'succeeded')
      assert.equal((await other.claim('a', 9)).length, 1)
    },
  },
  {
    id: 'import-invalid',
    name: 'rejects deliveries with unknown states, repeated tasks, impossible times or too large numbers, says what to do, and stores nothing',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const { from, to } = await two(host)
      const worker = await TestWorker.register(from, 'a')
      const [id, other] = [await storeNew(from), await storeNew(from)]
      await worker.handle(id, { a: 'succeeded' })
      const [imported, valid] = [await importedOf(from, id), await importedOf(from, other)]
      const [task] = imported.delivery.tasks
      assert.ok(task)
      const importing = (changes: object) => {
        return to.importDeliveries([valid, { ...imported, delivery: { ...imported.delivery, ...changes } }])
      }
      await assert.rejects(importing({ state: 'lost' }), /"state" is unknown: use one of pending, /)
      await assert.rejects(
        importing({ receivedAt: -latestTime - 1 }),
        /"receivedAt" is not a time: use whole milliseconds /,
      )
      for (const name of ['number', 'duplicates', 'secretIndex']) {
        await assert.rejects(importing({ [name]: 2 ** 53 }), new RegExp(`"${name}" is not a whole number up to `))
      }
      for (const [change, error] of invalidTasks) await assert.rejects(importing({ tasks: change(task) }), error)
      assert.deepEqual((await to.list({})).deliveries, [])
      assert.equal(await importing({}), 2)
    },
  },
]

/** Changes of an item of `tasks` that make a delivery invalid, and the error. */
const invalidTasks: [change: (task: TaskDetail) => object[], error: RegExp][] = [
  [(task) => [task, task], /"tasks" has several items with the same "handler": keep one/],
  [(task) => [{ ...task, state: 'lost' }], /"state" of a task is unknown: use one of pending, /],
  [(task) => [{ ...task, nextAttemptAt: latestTime + 1 }], /"nextAttemptAt" of a task is not a time/],
  [
    (task) => [{ ...task, attempts: [...task.attempts, ...task.attempts] }],
    /"attempts" of a task has several items with the same "number": keep one/,
  ],
  [
    (task) => [{ ...task, uncounted: task.attempts.length + 1 }],
    /"uncounted" of a task is not a number of its attempts/,
  ],
  [
    (task) => [{ ...task, attempts: task.attempts.map((attempt) => ({ ...attempt, outcome: 'lost' })) }],
    /"outcome" of an attempt is unknown: use one of running, /,
  ],
  [
    (task) => [{ ...task, attempts: task.attempts.map((attempt) => ({ ...attempt, startedAt: 0.5 })) }],
    /"startedAt" of an attempt is not a time/,
  ],
  [
    (task) => [{ ...task, attempts: task.attempts.map((attempt) => ({ ...attempt, number: 2 ** 31 - 1 })) }],
    /"number" of an attempt is not a whole number up to /,
  ],
  [
    (task) => [{ ...task, attempts: task.attempts.map((attempt) => ({ ...attempt, duration: 2 ** 53 - 1 })) }],
    /"duration" of an attempt is not a whole number up to /,
  ],
]

async function two(host: InboxContractHost): Promise<{ from: Store; to: Store }> {
  return { from: await openNew(host), to: await openNew(host) }
}

/** Copies a delivery from one inbox to another. @returns the number of new deliveries. */
async function move(from: Store, to: Store, id: number): Promise<number> {
  return to.importDeliveries([await importedOf(from, id)])
}

async function importedOf(from: Store, id: number): Promise<ImportedDelivery> {
  const body = await from.body(id)
  assert.ok(body)
  return { delivery: await detailOf(from, id), body }
}

async function newest(inbox: Store): Promise<number> {
  return only((await inbox.list({ limit: 1 })).deliveries).id
}

/** A delivery without the fields that each inbox assigns. */
function comparable({ id: _, ackedAt: _ackedAt, ...rest }: DeliveryDetail): object {
  return rest
}

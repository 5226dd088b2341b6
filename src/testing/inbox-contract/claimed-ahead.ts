import assert from 'node:assert/strict'
import type { ClaimedTask } from '../../inbox/inbox.ts'
import type { ContractStore, InboxContractCase } from './case.ts'
import { openNew } from './case.ts'
import { minute, start, storeMany, storeNew } from './deliveries.ts'
import { eventually } from './eventually.ts'
import { only, taskOf } from './seen.ts'
import { due, ordered, TestWorker } from './test-worker.ts'

export const claimedAheadCases: InboxContractCase[] = [
  {
    id: 'ahead-match',
    name: 'does not count the attempt of a task that a match claimed ahead against the limit if the lease expires',
    needs: ['DeliveryReader'],
    async run(host) {
      const store = await host.create()
      const inbox = await store.open()
      const worker = await TestWorker.register(inbox, 'a')
      const id = await storeNew(inbox)
      const [task] = await claimAndDie(store, (doomed) => doomed.match(id, { handler: 'a', claim: true, ahead: true }))
      assert.deepEqual([task?.attempt, task?.attemptsUsed], [1, 1])
      const again = await comesBack(worker)
      assert.deepEqual([again.attempt, again.attemptsUsed, again.uncounted], [2, 2, 1])
      const { attempts } = await taskOf(inbox, id, 'a')
      assert.deepEqual(
        attempts.map(({ outcome }) => outcome),
        ['cut off', 'running'],
      )
      await worker.finish(again, 'failed')
      const last = await comesBack(worker)
      assert.deepEqual([last.attempt, last.attemptsUsed, last.uncounted], [3, 3, 1])
    },
  },
  {
    id: 'ahead-claim',
    name: 'counts the attempts of the first wanted tasks, and not those of the tasks that were claimed ahead',
    needs: ['DeliveryReader'],
    async run(host) {
      const store = await host.create()
      const inbox = await store.open()
      const worker = await TestWorker.register(inbox, 'a')
      const ids = await storeMany(inbox, 3)
      for (const id of ids) await worker.match(id, due('a'))
      const claimed = await claimAndDie(store, (doomed) => claimWith(doomed, 3, 2))
      assert.deepEqual(
        claimed.map(({ attemptsUsed }) => attemptsUsed),
        [1, 1, 1],
      )
      const again = new Map<number, number | undefined>()
      await eventually('the tasks are due again', async () => {
        for (const { id, uncounted } of await claimWith(worker, 3, 0)) again.set(id, uncounted)
        return again.size === 3
      })
      assert.deepEqual(
        ids.map((id) => again.get(id)),
        [undefined, 1, 1],
      )
    },
  },
  {
    id: 'ahead-next',
    name: 'does not count the attempt of a task that a result claimed ahead, if its lease expires',
    needs: ['DeliveryReader'],
    async run(host) {
      const store = await host.create()
      const inbox = await store.open()
      const worker = await TestWorker.register(inbox, 'a')
      const ids = await storeMany(inbox, 2)
      for (const id of ids) await worker.match(id, ordered('a', 'key'))
      const [next] = await claimAndDie(store, async (doomed) => {
        const [first] = await doomed.claim('a')
        const [status] = await doomed.finish(first as ClaimedTask, 'succeeded', { nextBytes: 1e6, nextAhead: true })
        return status?.next ? [status.next] : []
      })
      assert.deepEqual([next?.id, next?.attemptsUsed], [ids[1], 1])
      const again = await comesBack(worker)
      assert.deepEqual([again.id, again.attemptsUsed, again.uncounted], [ids[1], 2, 1])
    },
  },
  {
    id: 'ahead-result',
    name: 'counts the attempt of a task that was claimed ahead if its result is recorded, unless it is released',
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a', 'b')
      const id = await storeNew(inbox)
      const [a, b] = await worker.match(
        id,
        { handler: 'a', claim: true, ahead: true },
        { handler: 'b', claim: true, ahead: true },
      )
      await worker.finish(a as ClaimedTask, 'failed')
      await worker.finish(b as ClaimedTask, 'released')
      const again = [only(await worker.claim('a', 1, start + minute)), only(await worker.claim('b', 1, start + minute))]
      assert.deepEqual(
        again.map(({ attemptsUsed, uncounted }) => [attemptsUsed, uncounted]),
        [
          [2, undefined],
          [1, undefined],
        ],
      )
    },
  },
  {
    id: 'ahead-released',
    name: 'does not count an attempt less if a worker is released that has claimed tasks ahead',
    async run(host) {
      const inbox = await openNew(host)
      const [worker, other] = [await TestWorker.register(inbox, 'a'), await TestWorker.register(inbox, 'a')]
      const id = await storeNew(inbox)
      await worker.match(id, due('a'))
      for (const released of [worker, await TestWorker.register(inbox, 'a')]) {
        assert.equal(only(await claimWith(released, 1, 1)).attemptsUsed, 1)
        await inbox.releaseWorker(released.id)
      }
      assert.equal(only(await claimWith(other, 1, 0)).attemptsUsed, 1)
    },
  },
  {
    id: 'ahead-statistics',
    name: 'adds attempts whose leases expired to the statistics, except those of tasks that were claimed ahead',
    needs: ['DeliveryReader', 'Statistics'],
    async run(host) {
      const store = await host.create()
      const inbox = await store.open()
      await TestWorker.register(inbox, 'a')
      const [first = 0, second = 0, ahead = 0] = await storeMany(inbox, 3)
      await claimAndDie(store, async (doomed) => [
        ...(await doomed.match(first, 'a')),
        ...(await doomed.match(second, 'a')),
        ...(await doomed.match(ahead, { handler: 'a', claim: true, ahead: true })),
      ])
      for (const id of [first, second, ahead]) {
        await eventually('the lease expires', async () => (await taskOf(inbox, id, 'a')).state === 'retrying')
      }
      const found = await inbox.counts({ since: 0, step: minute, measures: ['attempts'], sumSteps: true })
      assert.deepEqual(
        found.map(({ name, outcome, count }) => [name, outcome, count]),
        [['a', 'cut off', 2]],
      )
    },
  },
  {
    id: 'ahead-suspect',
    name: 'counts the attempt of a suspect, although it was claimed ahead',
    needs: ['DeliveryReader'],
    async run(host) {
      const store = await host.create()
      const inbox = await store.open()
      const worker = await TestWorker.register(inbox, 'a')
      const id = await storeNew(inbox)
      await worker.match(id, due('a'))
      const seen: unknown[] = []
      for (const _process of [1, 2, 3]) {
        const [task] = await claimAndDie(store, (doomed) => claimWith(doomed, 1, 1))
        seen.push([task?.attemptsUsed, task?.uncounted, task?.suspect])
        await eventually('the lease expires', async () => (await taskOf(inbox, id, 'a')).state === 'retrying')
      }
      assert.deepEqual(seen, [
        [1, undefined, undefined],
        [2, 1, undefined],
        [3, 2, true],
      ])
      const last = await comesBack(worker)
      assert.deepEqual([last.attemptsUsed, last.uncounted], [4, 2])
    },
  },
  {
    id: 'ahead-next',
    name: 'says how many attempts do not count if a result claims the next task with its order key, and repeats it',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const store = await host.create()
      const inbox = await store.open()
      const worker = await TestWorker.register(inbox, 'a')
      const [first, second] = [await storeNew(inbox), await storeNew(inbox)]
      const inOrder = { ...ordered('a', 'key', true), ahead: true }
      await worker.finish(only(await worker.match(first, inOrder)), 'succeeded')
      await claimAndDie(store, (doomed) => doomed.match(second, inOrder))
      await eventually('the lease expires', async () => (await taskOf(inbox, second, 'a')).state === 'retrying')
      await inbox.retry({ ids: [first] })
      const again = only(await worker.match(first, ordered('a', 'key', true)))
      assert.deepEqual(await worker.claim('a', 9, later()), [], 'the second task waits for the first one')
      for (const _call of ['the call', 'a repetition']) {
        const { next } = only(await worker.finish(again, 'succeeded', { nextBytes: 1e6 }))
        assert.deepEqual([next?.id, next?.attempt, next?.attemptsUsed, next?.uncounted], [second, 2, 2, 1])
      }
    },
  },
  {
    id: 'ahead-discarded',
    name: 'counts the attempt of a task that is claimed after a discard, although it was claimed ahead before',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const store = await host.create()
      const inbox = await store.open()
      const worker = await TestWorker.register(inbox, 'a')
      const [first, second] = [await storeNew(inbox), await storeNew(inbox)]
      await worker.finish(only(await worker.match(first, ordered('a', 'key', true))), 'succeeded')
      await worker.match(second, { ...ordered('a', 'key', true), ahead: true })
      await inbox.discard({ ids: [second] }, 'not wanted')
      await inbox.retry({ ids: [first] })
      const [next] = await claimAndDie(store, async (doomed) => {
        const again = only(await doomed.match(first, ordered('a', 'key', true)))
        await inbox.retry({ ids: [second] }, { handler: 'a' })
        const { next } = only(await doomed.finish(again, 'succeeded', { nextBytes: 1e6 }))
        return next ? [next] : []
      })
      assert.deepEqual([next?.id, next?.attemptsUsed], [second, 1])
      const last = await comesBack(worker)
      assert.deepEqual([last.attemptsUsed, last.uncounted], [2, undefined])
    },
  },
]

/** Later than each retry of a case. */
const later = (): number => Date.now() + 1000 * minute

/** Claims due tasks of handler `a`. @param ahead How many of them are claimed ahead. */
const claimWith = ({ inbox, id }: TestWorker, wanted: number, ahead: number): Promise<ClaimedTask[]> =>
  inbox.claim(id, { wanted: { a: wanted }, ahead: { a: ahead }, bytes: 1e6, now: later() })

/** Claims tasks with a worker that sends no more heartbeats afterwards, so that its leases expire. */
async function claimAndDie(
  store: ContractStore,
  claim: (worker: TestWorker) => Promise<ClaimedTask[]>,
): Promise<ClaimedTask[]> {
  const inbox = await store.open()
  const claimed = await claim(await TestWorker.register(inbox, 'a'))
  await inbox.close()
  return claimed
}

/** Claims the task of handler `a` when it is due again. */
const comesBack = (worker: TestWorker): Promise<ClaimedTask> =>
  eventually('the task is due again', async () => (await worker.claim('a', 1, later()))[0])

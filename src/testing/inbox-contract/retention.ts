import assert from 'node:assert/strict'
import type { AttemptResult, NewDelivery, Store } from '../../inbox/inbox.ts'
import { type InboxContractCase, openNew } from './case.ts'
import { day, json, minute, newDelivery, start, storeMany, storeNew } from './deliveries.ts'
import { recordMatches, unmatched } from './matching.ts'
import { assertState, detailOf, only } from './seen.ts'
import { due, ordered, TestWorker } from './test-worker.ts'

/** A time so long after `start` that the retention of every store has passed. */
const later = start + 365 * day

/** Each final state, and the outcomes that lead to it. */
const ends: Record<string, Record<string, AttemptResult['outcome']>> = {
  done: { a: 'succeeded' },
  dead: { a: 'dead' },
  discarded: { a: 'discarded' },
  ignored: {},
}

export const retentionCases: InboxContractCase[] = [
  {
    id: 'prune',
    name: 'deletes old deliveries that have ended, and returns their number',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const ids: number[] = []
      for (const outcomes of Object.values(ends)) {
        const id = await storeNew(inbox)
        await worker.handle(id, outcomes)
        ids.push(id)
      }
      assert.equal(await inbox.prune(start + minute), 0)
      assert.equal((await inbox.list({})).deliveries.length, 4)
      assert.equal(await inbox.prune(later), 4)
      for (const id of ids) assert.deepEqual([await inbox.get(id), await inbox.body(id)], [undefined, undefined])
      assert.deepEqual(await inbox.load(ids), [])
      assert.deepEqual((await inbox.list({})).deliveries, [])
      assert.equal(await inbox.prune(later), 0)
    },
  },
  {
    id: 'prune-old',
    name: 'keeps recent deliveries when it deletes old ones',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const [old, young] = [await storeNew(inbox), await storeNew(inbox, { receivedAt: later - minute })]
      for (const id of [old, young]) await worker.handle(id, { a: 'succeeded' })
      assert.equal(await inbox.prune(later), 1)
      assert.equal(await inbox.get(old), undefined)
      await assertState(inbox, young, 'done')
    },
  },
  {
    id: 'prune-unfinished',
    name: 'keeps unfinished deliveries of any age, and runs them',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const [fresh, running, waiting, pending, held] = await storeMany(inbox, 5)
      const tasks = [await worker.begin(running as number, 'a'), await worker.begin(waiting as number, 'a')] as const
      await worker.finish(tasks[1], 'failed', { nextAt: later })
      await worker.match(pending as number, due('a'))
      await worker.match(fresh as number, due('a'))
      await worker.match(held as number, ordered('a', 'key'))
      const unplanned = await storeNew(inbox)
      assert.equal(await inbox.prune(later), 0)
      assert.equal((await inbox.list({})).deliveries.length, 6)
      assert.equal(only(await unmatched(inbox, 10, 1e6)).id, unplanned)
      assert.deepEqual(await worker.finish(tasks[0], 'succeeded'), [{ id: running, state: 'done' }])
      assert.equal((await worker.claim('a', 10, later)).length, 4)
    },
  },
  {
    id: 'prune-many',
    name: 'deletes all old deliveries, however many there are',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox)
      const ids = await storeMany(inbox, 450)
      await recordMatches(
        inbox,
        worker.id,
        ids.map((id) => ({ id, summary: {}, tasks: [] })),
        start,
      )
      const kept = await storeNew(inbox)
      assert.equal(await inbox.prune(later), 450)
      assert.equal(only((await inbox.list({})).deliveries).id, kept)
    },
  },
  {
    id: 'tombstone-done',
    name: 'treats a copy as a duplicate if the deleted delivery was done',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const { inbox, first } = await pruned(await openNew(host), 'done')
      assert.equal((await inbox.store(first)).outcome, 'duplicate')
      assert.equal((await inbox.store({ ...first, ...other, pulled: true })).outcome, 'duplicate')
      assert.deepEqual((await inbox.list({})).deliveries, [])
      assert.deepEqual(await unmatched(inbox, 10, 1e6), [])
    },
  },
  ...(['dead', 'ignored', 'discarded'] as const).map(
    (state) =>
      ({
        id: `tombstone-${state}`,
        name: `runs a copy of a deleted delivery that was ${state}`,
        needs: ['DeliveryReader', 'Operations'],
        async run(host) {
          const { inbox, worker, first } = await pruned(await openNew(host), state)
          const { id, outcome, conflict } = await inbox.store(first)
          assert.deepEqual([outcome, conflict], ['rearmed', false])
          assert.deepEqual([...((await inbox.body(id)) ?? [])], [...first.body])
          assert.deepEqual(await inbox.store(first), { id, outcome: 'duplicate', conflict: false })
          assert.equal((await detailOf(inbox, id)).conflict, false)
          await worker.handle(id, { a: 'succeeded' })
          await assertState(inbox, id, 'done')
          assert.deepEqual(await inbox.store(first), { id, outcome: 'duplicate', conflict: false })
        },
      }) satisfies InboxContractCase,
  ),
  {
    id: 'tombstone-conflict',
    name: 'flags a delivery as a conflict if a deleted delivery had the same identity and other bytes',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const { inbox, first } = await pruned(await openNew(host), 'done')
      const { id, outcome, conflict } = await inbox.store({ ...first, ...other })
      assert.deepEqual([outcome, conflict], ['stored', true])
      assert.equal((await detailOf(inbox, id)).conflict, true)
      assert.equal((await inbox.store({ ...first, hookId: 'another' })).conflict, false)
    },
  },
  {
    id: 'tombstone-conflict-copy',
    name: 'treats a delivery as a copy of a conflict that was deleted, and rearms the conflict if it was dead',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const { inbox, worker, first } = await pruned(await openNew(host), 'done')
      const { id } = await inbox.store({ ...first, ...other })
      await worker.handle(id, { a: 'dead' })
      assert.equal(await inbox.prune(later), 1)
      const again = await inbox.store({ ...first, ...other })
      assert.deepEqual([again.outcome, again.conflict], ['rearmed', true])
      const copies = [await inbox.store({ ...first, ...other }), await inbox.store(first)]
      assert.deepEqual(
        copies.map(({ outcome, conflict }) => [outcome, conflict]),
        [
          ['duplicate', true],
          ['duplicate', false],
        ],
      )
    },
  },
  {
    id: 'tombstone-pulled',
    name: 'treats a delivery as a copy if it was pulled before, even if the pulled delivery was deleted',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const { inbox, first } = await pruned(await openNew(host), 'done', { pulled: true })
      const sent = { ...first, ...other, pulled: false }
      assert.equal((await inbox.store(sent)).outcome, 'duplicate')
    },
  },
  {
    id: 'tombstone-secret',
    name: 'treats a delivery as new if a deleted delivery had the same identity and another secret id',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const { inbox, first } = await pruned(await openNew(host), 'done', { secretId: 'installation 7' })
      assert.equal((await inbox.store(first)).outcome, 'duplicate')
      for (const secretId of ['installation 8', undefined]) {
        const { outcome, conflict } = await inbox.store({ ...first, secretId })
        assert.deepEqual([outcome, conflict], ['stored', false])
      }
    },
  },
  {
    id: 'tombstone-age',
    name: 'keeps tombstones for 8 days',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const { inbox, first } = await pruned(await openNew(host), 'done')
      await inbox.prune(later + 8 * day - minute)
      assert.equal((await inbox.store(first)).outcome, 'duplicate')
      await inbox.prune(later + 8 * day + minute)
      const id = await storeNew(inbox, first)
      assert.equal((await detailOf(inbox, id)).conflict, false)
    },
  },
]

const other = { body: json({ other: 'bytes' }) }

/** Stores a delivery, ends it in this state, and prunes it. */
async function pruned(
  inbox: Store,
  state: 'done' | 'dead' | 'discarded' | 'ignored',
  more: Partial<NewDelivery> = {},
): Promise<{ inbox: Store; worker: TestWorker; first: NewDelivery }> {
  const worker = await TestWorker.register(inbox, 'a')
  const first = newDelivery(more)
  const id = await storeNew(inbox, first)
  await worker.handle(id, ends[state] ?? {})
  await assertState(inbox, id, state)
  assert.equal(await inbox.prune(later), 1)
  return { inbox, worker, first }
}

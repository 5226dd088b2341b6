import assert from 'node:assert/strict'
import type { NewDelivery, Store } from '../../inbox/inbox.ts'
import { type InboxContractCase, openNew } from './case.ts'
import { json, newDelivery, storeNew } from './deliveries.ts'
import { unmatched } from './matching.ts'
import { assertState, detailOf, only } from './seen.ts'
import { TestWorker } from './test-worker.ts'

const other = { body: json({ other: 'bytes' }) }

export const conflictCases: InboxContractCase[] = [
  {
    id: 'conflict',
    name: 'stores a delivery with a known identity and other bytes, flags it as a conflict, and runs it',
    needs: ['DeliveryReader'],
    async run(host) {
      const { inbox, first, ids } = await twoVariants(await openNew(host))
      const worker = await TestWorker.register(inbox, 'a')
      const [one, two] = ids
      assert.notEqual(one, two)
      const waiting = await unmatched(inbox, 10, 1e6)
      assert.deepEqual(
        waiting.map(({ id, conflict }) => [id, conflict]),
        [
          [one, false],
          [two, true],
        ],
      )
      assert.deepEqual([...((await inbox.body(one)) ?? [])], [...first.body])
      assert.deepEqual([...((await inbox.body(two)) ?? [])], [...other.body])
      for (const id of ids) await worker.handle(id, { a: 'succeeded' })
      assert.deepEqual([(await detailOf(inbox, one)).conflict, (await detailOf(inbox, two)).conflict], [false, true])
      for (const id of ids) await assertState(inbox, id, 'done')
    },
  },
  {
    id: 'conflict-copies',
    name: 'counts copies of each conflicting delivery separately',
    needs: ['DeliveryReader'],
    async run(host) {
      const { inbox, first, ids } = await twoVariants(await openNew(host))
      const [one, two] = ids
      assert.deepEqual(await inbox.store({ ...first, ...other }), { id: two, outcome: 'duplicate', conflict: true })
      assert.deepEqual(await inbox.store({ ...first, ...other }), { id: two, outcome: 'duplicate', conflict: true })
      assert.deepEqual(await inbox.store(first), { id: one, outcome: 'duplicate', conflict: false })
      assert.equal((await detailOf(inbox, one)).duplicates, 1)
      assert.equal((await detailOf(inbox, two)).duplicates, 2)
      const third = await inbox.store({ ...first, body: json({ third: 'bytes' }) })
      assert.deepEqual([third.outcome, third.conflict], ['stored', true])
      assert.equal((await detailOf(inbox, third.id)).conflict, true)
    },
  },
  {
    id: 'conflict-rearmed',
    name: 'finishes and rearms each conflicting delivery separately',
    async run(host) {
      const { inbox, first, ids } = await twoVariants(await openNew(host))
      const worker = await TestWorker.register(inbox, 'a')
      const [one, two] = ids
      await worker.handle(one, { a: 'succeeded' })
      await worker.handle(two, { a: 'dead' })
      assert.deepEqual(await inbox.store(first), { id: one, outcome: 'duplicate', conflict: false })
      assert.deepEqual(await inbox.store({ ...first, ...other }), { id: two, outcome: 'rearmed', conflict: true })
      await assertState(inbox, one, 'done')
      await assertState(inbox, two, 'pending')
    },
  },
  {
    id: 'pulled',
    name: 'flags a delivery that was pulled from GitHub',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const id = await storeNew(inbox, { pulled: true })
      assert.equal((await detailOf(inbox, id)).pulled, true)
      assert.equal(only(await unmatched(inbox, 10, 1e6)).pulled, true)
      assert.equal((await detailOf(inbox, await storeNew(inbox))).pulled, false)
    },
  },
  {
    id: 'pulled-known',
    name: 'counts a pulled delivery with a known identity as a copy, even if its bytes differ',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const first = newDelivery()
      const id = await storeNew(inbox, first)
      const fetched = { ...first, ...other, pulled: true }
      assert.deepEqual(await inbox.store(fetched), { id, outcome: 'duplicate', conflict: false })
      await worker.handle(id, { a: 'dead' })
      assert.deepEqual(await inbox.store(fetched), { id, outcome: 'rearmed', conflict: false })
      const { pulled, conflict } = await detailOf(inbox, id)
      assert.deepEqual({ pulled, conflict }, { pulled: false, conflict: false })
      assert.deepEqual([...((await inbox.body(id)) ?? [])], [...first.body])
    },
  },
  {
    id: 'pulled-first',
    name: 'counts a received delivery as a copy of a pulled one with the same identity, even if their bytes differ',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const first = newDelivery()
      const id = await storeNew(inbox, { ...first, ...other, pulled: true })
      assert.deepEqual(await inbox.store(first), { id, outcome: 'duplicate', conflict: false })
      assert.equal((await detailOf(inbox, id)).conflict, false)
    },
  },
]

/** Two deliveries with the same identity and different bytes. */
async function twoVariants(inbox: Store): Promise<{ inbox: Store; first: NewDelivery; ids: [number, number] }> {
  const first = newDelivery()
  const [one, two] = [await inbox.store(first), await inbox.store({ ...first, ...other })]
  assert.deepEqual([one.outcome, one.conflict, two.outcome, two.conflict], ['stored', false, 'stored', true])
  return { inbox, first, ids: [one.id, two.id] }
}

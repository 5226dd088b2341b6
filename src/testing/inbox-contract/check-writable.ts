import assert from 'node:assert/strict'
import type { Store } from '../../inbox/inbox.ts'
import { type InboxContractCase, openNew } from './case.ts'
import { newDelivery, storeNew } from './deliveries.ts'
import { unmatched } from './matching.ts'
import { only } from './seen.ts'

export const writableCases: InboxContractCase[] = [
  {
    id: 'writable',
    name: 'leaves no delivery behind after checkWritable',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      await storeNew(inbox)
      const before = await seen(inbox)
      for (let count = 0; count < 3; count++) await inbox.checkWritable()
      assert.deepEqual(await seen(inbox), before)
      const { position } = await inbox.changes()
      await inbox.checkWritable()
      assert.deepEqual((await inbox.changes(position)).deliveries, [])
      const id = await storeNew(inbox)
      assert.equal(only((await inbox.list({ limit: 1 })).deliveries).id, id)
    },
  },
  {
    id: 'writable-together',
    name: 'stores deliveries while several processes call checkWritable',
    needs: ['DeliveryReader'],
    async run(host) {
      const store = await host.create()
      const inboxes = [await store.open(), await store.open()]
      const calls = inboxes.flatMap((inbox) => [
        inbox.checkWritable(),
        ...Array.from({ length: 5 }, () => inbox.store(newDelivery())),
        inbox.checkWritable(),
      ])
      await Promise.all(calls)
      const [inbox] = inboxes as [Store, Store]
      const { deliveries } = await inbox.list({})
      assert.equal(deliveries.length, 10)
      for (const { id } of deliveries) assert.ok((await inbox.body(id))?.length, `delivery ${id} has its bytes`)
    },
  },
]

/** The state of the inbox as an operator and a worker see it. */
async function seen(inbox: Store): Promise<unknown> {
  const { size: _size, ...overview } = await inbox.overview()
  return { overview, page: await inbox.list({}), unmatched: await unmatched(inbox, 10, 1e6) }
}

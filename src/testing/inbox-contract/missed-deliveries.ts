import assert from 'node:assert/strict'
import type { MissedDelivery } from '../../inbox/missed-deliveries.ts'
import { type InboxContractCase, openNew } from './case.ts'
import { day, minute, start, storeNew } from './deliveries.ts'
import { TestWorker } from './test-worker.ts'

export const missedDeliveryCases: InboxContractCase[] = [
  {
    id: 'known-guids',
    name: 'finds the GUID of a delivery in any state, but only if the delivery has the given hook id or no hook id',
    needs: ['MissedDeliveryStore'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const of = (hookId: string, guid: string) => storeNew(inbox, { hookId, guid })
      await of('1', 'here')
      await worker.handle(await of('1', 'done'), { a: 'succeeded' })
      await worker.handle(await of('1', 'dead'), { a: 'dead' })
      await of('2', 'of another hook')
      await of('', 'of no hook')
      const guids = ['of another hook', 'here', 'nowhere', 'done', 'dead', 'of no hook', "'--"]
      const lookup = { hookId: '1', guids }
      assert.deepEqual((await inbox.knownGuids(lookup)).toSorted(), ['dead', 'done', 'here', 'of no hook'])
      assert.deepEqual(await inbox.knownGuids({ ...lookup, hookId: '2' }), ['of another hook', 'of no hook'])
      assert.deepEqual(await inbox.knownGuids({ ...lookup, guids: [] }), [])
    },
  },
  {
    id: 'known-guids-secret',
    name: 'finds a GUID even if another secret signed its delivery',
    needs: ['MissedDeliveryStore'],
    async run(host) {
      const inbox = await openNew(host)
      await storeNew(inbox, { hookId: '1', guid: 'g', secretId: 'other' })
      assert.deepEqual(await inbox.knownGuids({ hookId: '1', guids: ['g'] }), ['g'])
    },
  },
  {
    id: 'known-guids-pruned',
    name: 'finds the GUID of a delivery that was pruned, whichever secret signed it',
    needs: ['Operations', 'MissedDeliveryStore'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const guids = ['a', 'b', 'c']
      for (const [guid, more] of [
        ['a', {}],
        ['b', { secretId: 'other' }],
        ['c', { hookId: '' }],
      ] as const) {
        const id = await storeNew(inbox, { hookId: '1', receivedAt: start - 400 * day, guid, ...more })
        await worker.handle(id, { a: 'succeeded' })
      }
      assert.equal(await inbox.prune(Date.now()), 3)
      assert.deepEqual(await inbox.knownGuids({ hookId: '1', guids: [...guids, 'd'] }), guids)
      assert.deepEqual(await inbox.knownGuids({ hookId: '2', guids }), ['c'])
    },
  },
  {
    id: 'missed-deliveries',
    name: 'lists missed deliveries in every process, newest first, with their latest state',
    needs: ['DeliveryReader', 'MissedDeliveryStore'],
    async run(host) {
      const store = await host.create()
      const inbox = await store.open()
      assert.deepEqual(await inbox.missedDeliveries(), [])
      const [older, newer] = [missedDelivery('a', start), missedDelivery('b', start + minute, { action: 'opened' })]
      const elsewhere = missedDelivery('a', start + 2 * minute, { hookId: '2' })
      await inbox.saveMissedDeliveries([older, newer, elsewhere])
      const requested: MissedDelivery = {
        ...older,
        state: 'requested',
        requests: 1,
        requestedAt: start,
        deliveryId: '3804004623172239366',
        status: 'timed out',
        expiresAt: older.expiresAt + day,
      }
      await inbox.saveMissedDeliveries([requested])
      await inbox.close()
      const again = await store.open()
      assert.deepEqual(await again.missedDeliveries(), [elsewhere, newer, requested])
      const counts = { missed: 2, requested: 1, received: 0, expired: 0, unrecorded: 0 }
      assert.deepEqual((await again.overview()).missedDeliveries, counts)
    },
  },
  {
    id: 'missed-deliveries-many',
    name: 'lists every delivery in the state missed or requested, even if 25,000 later ones are received',
    needs: ['MissedDeliveryStore'],
    async run(host) {
      const inbox = await openNew(host)
      const open = [
        missedDelivery('missed', start),
        missedDelivery('requested', start + 1, { state: 'requested', requests: 1, requestedAt: start + 2 }),
      ]
      const received = Array.from({ length: 25_000 }, (_, index) =>
        missedDelivery(`${index}`, start + minute, { state: 'received' }),
      )
      await inbox.saveMissedDeliveries([...open, ...received])
      assert.deepEqual((await inbox.missedDeliveries()).slice(-2), open.toReversed())
    },
  },
  {
    id: 'missed-deliveries-old',
    name: 'deletes a missed delivery long after it expired',
    needs: ['Operations', 'MissedDeliveryStore'],
    async run(host) {
      const inbox = await openNew(host)
      const [old, young] = [missedDelivery('a', start - 60 * day), missedDelivery('b', start)]
      await inbox.saveMissedDeliveries([old, young])
      await inbox.prune(Date.now())
      assert.deepEqual(await inbox.missedDeliveries(), [young])
    },
  },
  {
    id: 'missed-deliveries-expired',
    name: 'expires a missed or requested delivery an hour after GitHub has deleted it',
    needs: ['Operations', 'MissedDeliveryStore'],
    async run(host) {
      const inbox = await openNew(host)
      const now = Date.now()
      const [old, young] = [{ expiresAt: now - 61 * minute }, { expiresAt: now - 59 * minute }]
      await inbox.saveMissedDeliveries([
        missedDelivery('a', start, old),
        missedDelivery('b', start, { ...old, state: 'requested' }),
        missedDelivery('c', start, { ...old, state: 'received' }),
        missedDelivery('d', start, { ...old, state: 'unrecorded' }),
        missedDelivery('e', start, young),
      ])
      await inbox.prune(now)
      const states = (await inbox.missedDeliveries()).map(({ guid, state }) => [guid, state])
      assert.deepEqual(states, [
        ['a', 'expired'],
        ['b', 'expired'],
        ['c', 'received'],
        ['d', 'unrecorded'],
        ['e', 'missed'],
      ])
    },
  },
  {
    id: 'lease',
    name: 'gives a lease to one holder until it expires or is released',
    needs: ['NamedLeases'],
    async run(host) {
      const store = await host.create()
      const [inbox, other] = [await store.open(), await store.open()]
      assert.equal(await inbox.lease('sweep', 'a', 60_000), true)
      assert.equal(await inbox.lease('sweep', 'a', 60_000), true)
      assert.equal(await other.lease('sweep', 'b', 60_000), false)
      assert.equal(await other.lease('another', 'b', 60_000), true)
      assert.equal(await inbox.lease('sweep', 'a', 0), true)
      assert.equal(await other.lease('sweep', 'b', 60_000), true)
      assert.equal(await inbox.lease('sweep', 'a', 60_000), false)
    },
  },
  {
    id: 'created-at',
    name: 'returns the time at which the store was created',
    needs: ['MissedDeliveryStore'],
    async run(host) {
      const store = await host.create()
      const before = Date.now()
      const inbox = await store.open()
      const createdAt = await inbox.createdAt()
      assert.ok(createdAt >= before - day && createdAt <= Date.now(), 'the store was created for this case')
      await storeNew(inbox, { receivedAt: start - day })
      await inbox.close()
      assert.equal(await (await store.open()).createdAt(), createdAt)
    },
  },
]

function missedDelivery(guid: string, deliveredAt: number, more: Partial<MissedDelivery> = {}): MissedDelivery {
  return {
    ...{ hookId: '1', guid, target: 'acme/shop', event: 'push', action: undefined, deliveryId: '7', deliveredAt },
    ...{ status: 'failed to connect to host', state: 'missed', requests: 0, requestedAt: undefined },
    expiresAt: deliveredAt + 3 * day,
    ...more,
  }
}

import assert from 'node:assert/strict'
import type { Store } from '../../inbox/inbox.ts'
import type { DeliveryState } from '../../inbox/records.ts'
import { type InboxContractCase, openNew } from './case.ts'
import { newDelivery, start, storeMany, storeNew } from './deliveries.ts'
import { TestWorker } from './test-worker.ts'

export const changeCases: InboxContractCase[] = [
  {
    id: 'changes',
    name: 'returns each new or changed delivery once, in its current state',
    needs: ['DeliveryReader', 'Operations'],
    async run(host) {
      const inbox = await openNew(host)
      const before = await storeNew(inbox)
      const watch = await Watch.begin(inbox)
      assert.deepEqual(await watch.look(), {})
      const worker = await TestWorker.register(inbox, 'a')
      const id = await storeNew(inbox)
      assert.deepEqual(await watch.look(), { [id]: 'pending' })
      const task = await worker.begin(id, 'a')
      assert.deepEqual(await watch.look(), { [id]: 'running' })
      await worker.finish(task, 'failed', { nextAt: start })
      assert.deepEqual(await watch.look(), { [id]: 'retrying' })
      for (const again of await worker.claim('a')) await worker.finish(again, 'succeeded')
      assert.deepEqual(await watch.look(), { [id]: 'done' })
      await inbox.discard({ ids: [before] }, 'no use')
      await inbox.retry({ ids: [id] })
      assert.deepEqual(await watch.look(), { [before]: 'discarded', [id]: 'pending' })
      assert.deepEqual(await watch.look(), {})
    },
  },
  {
    id: 'changes-copies',
    name: 'returns a delivery again after a copy, and after a copy that rearms it',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox)
      const one = newDelivery()
      const { id } = await inbox.store(one)
      const watch = await Watch.begin(inbox)
      await inbox.store(one)
      const { deliveries } = await inbox.changes(watch.position)
      assert.deepEqual(
        deliveries.map((delivery) => [delivery.id, delivery.duplicates]),
        [[id, 1]],
      )
      await worker.match(id)
      assert.deepEqual(await watch.look(), { [id]: 'ignored' })
      await inbox.store(one)
      assert.deepEqual(await watch.look(), { [id]: 'pending' })
    },
  },
  {
    id: 'changes-everywhere',
    name: 'returns the changes of all processes, with positions that are valid in every process',
    needs: ['DeliveryReader'],
    async run(host) {
      const store = await host.create()
      const [inbox, other] = [await store.open(), await store.open()]
      const watch = await Watch.begin(other)
      const id = await storeNew(inbox)
      const worker = await TestWorker.register(inbox, 'a')
      await worker.begin(id, 'a')
      assert.deepEqual(await new Watch(inbox, watch.position).look(), { [id]: 'running' })
      assert.deepEqual(await watch.look(), { [id]: 'running' })
      await worker.inbox.releaseWorker(worker.id)
      assert.deepEqual(await watch.look(), { [id]: 'pending' })
    },
  },
  {
    id: 'changes-many',
    name: 'returns many changes over several calls, and omits none',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const watch = await Watch.begin(inbox)
      const ids = await storeMany(inbox, 1500)
      const first = await inbox.changes(watch.position)
      assert.ok(first.more && first.deliveries.length < ids.length)
      assert.deepEqual(Object.keys(await watch.look()).map(Number), ids)
    },
  },
  {
    id: 'changes-gap',
    name: 'reports a gap for a position that is invalid or from another store, with the position to continue from',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      await storeNew(inbox)
      const larger = await openNew(host)
      const worker = await TestWorker.register(larger, 'a')
      for (let index = 0; index < 3; index++) await worker.handle(await storeNew(larger), { a: 'succeeded' })
      for (const elsewhere of [(await larger.changes()).position, 'none at all', '']) {
        const { position, ...rest } = await inbox.changes(elsewhere)
        assert.deepEqual(rest, { deliveries: [], more: false, gap: true })
        const watch = new Watch(inbox, position)
        assert.deepEqual(await watch.look(), {})
        const id = await storeNew(inbox)
        assert.deepEqual(await watch.look(), { [id]: 'pending' })
      }
    },
  },
  {
    id: 'changes-failed',
    name: 'returns no change for a delivery that could not be stored',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const watch = await Watch.begin(inbox)
      await assert.rejects(inbox.store(newDelivery({ form: undefined as never })))
      const id = await storeNew(inbox)
      assert.deepEqual(await watch.look(), { [id]: 'pending' })
    },
  },
]

/** Follows the changes of an inbox. */
class Watch {
  position: string
  readonly #inbox: Store

  constructor(inbox: Store, position: string) {
    this.#inbox = inbox
    this.position = position
  }

  static async begin(inbox: Store): Promise<Watch> {
    const { deliveries, position, more, gap } = await inbox.changes()
    assert.deepEqual([deliveries, more, gap], [[], false, false])
    return new Watch(inbox, position)
  }

  /** The states of all deliveries that changed since the previous call. */
  async look(): Promise<Record<number, DeliveryState>> {
    const states: Record<number, DeliveryState> = {}
    for (let more = true; more; ) {
      const changes = await this.#inbox.changes(this.position)
      assert.equal(changes.gap, false)
      for (const { id, state } of changes.deliveries) {
        assert.ok(!Object.hasOwn(states, id), 'each delivery is returned once')
        states[id] = state
      }
      this.position = changes.position
      more = changes.more
    }
    return states
  }
}

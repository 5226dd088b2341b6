import assert from 'node:assert/strict'
import type { Gap } from '../../inbox/gaps.ts'
import { type InboxContractCase, openNew } from './case.ts'
import { day, minute, newDelivery, start, storeNew } from './deliveries.ts'
import { TestWorker } from './test-worker.ts'

export const gapCases: InboxContractCase[] = [
  {
    id: 'held',
    name: 'it is known which deliveries of a hook are here, in whatever state, and those of another hook are not',
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.enlist(inbox, 'a')
      const of = (hookId: string, guid: string) => storeNew(inbox, { hookId, guid })
      await of('1', 'here')
      await worker.handle(await of('1', 'done'), { a: 'succeeded' })
      await worker.handle(await of('1', 'dead'), { a: 'dead' })
      await of('2', 'of another hook')
      await of('', 'of no hook')
      const guids = ['of another hook', 'here', 'nowhere', 'done', 'dead', 'of no hook', "'--"]
      const sought = { source: '/hooks', hookId: '1', guids }
      assert.deepEqual((await inbox.held(sought)).toSorted(), ['dead', 'done', 'here', 'of no hook'])
      assert.deepEqual(await inbox.held({ ...sought, hookId: '2' }), ['of another hook', 'of no hook'])
      assert.deepEqual(await inbox.held({ ...sought, guids: [] }), [])
    },
  },
  {
    id: 'held-secret',
    name: 'a delivery is here whatever it was signed with',
    async run(host) {
      const inbox = await openNew(host)
      await storeNew(inbox, { hookId: '1', guid: 'g', secretId: 'somebody' })
      assert.deepEqual(await inbox.held({ source: '/hooks', hookId: '1', guids: ['g'] }), ['g'])
    },
  },
  {
    id: 'held-pruned',
    name: 'one that was here and was pruned is not missing',
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.enlist(inbox, 'a')
      const old = newDelivery({ hookId: '1', receivedAt: start - 400 * day })
      await worker.handle((await inbox.store(old)).id, { a: 'succeeded' })
      assert.equal(await inbox.prune(Date.now()), 1)
      const sought = { source: '/hooks', hookId: '1', guids: [old.guid] }
      assert.deepEqual(await inbox.held(sought), [old.guid])
      assert.deepEqual(await inbox.held({ ...sought, hookId: '2' }), [])
    },
  },
  {
    id: 'gaps',
    name: 'what was found missing is kept for all processes, the newest first, as it stands by now',
    async run(host) {
      const store = await host.create()
      const inbox = await store.open()
      assert.deepEqual(await inbox.gaps(), [])
      const [older, newer] = [gap('a', start), gap('b', start + minute, { action: 'opened' })]
      const elsewhere = gap('a', start + 2 * minute, { hookId: '2' })
      await inbox.noteGaps([older, newer, elsewhere])
      const asked: Gap = { ...older, state: 'asked', asked: 1, askedAt: start, deliveryId: 99, status: 'timed out' }
      await inbox.noteGaps([asked])
      await inbox.close()
      const again = await store.open()
      assert.deepEqual(await again.gaps(), [elsewhere, newer, asked])
      const counts = { missed: 2, asked: 1, arrived: 0, 'given up': 0, absent: 0 }
      assert.deepEqual((await again.overview()).gaps, counts)
    },
  },
  {
    id: 'gaps-many',
    name: 'what can still be filled is shown, however much has come since',
    async run(host) {
      const inbox = await openNew(host)
      const open = [gap('missed', start), gap('asked', start + 1, { state: 'asked', asked: 1, askedAt: start + 2 })]
      const arrived = Array.from({ length: 25_000 }, (_, index) =>
        gap(`${index}`, start + minute, { state: 'arrived' }),
      )
      await inbox.noteGaps([...open, ...arrived])
      assert.deepEqual((await inbox.gaps()).slice(-2), open.toReversed())
    },
  },
  {
    id: 'gaps-old',
    name: 'what GitHub has not kept for long is forgotten',
    async run(host) {
      const inbox = await openNew(host)
      const [old, young] = [gap('a', start - 60 * day), gap('b', start)]
      await inbox.noteGaps([old, young])
      await inbox.prune(Date.now())
      assert.deepEqual(await inbox.gaps(), [young])
    },
  },
  {
    id: 'lease',
    name: "what only one may do at a time is nobody else's until it ends",
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
    id: 'born',
    name: 'it is known since when it is there, and that does not change',
    async run(host) {
      const store = await host.create()
      const before = Date.now()
      const inbox = await store.open()
      const born = await inbox.createdAt()
      assert.ok(born >= before - day && born <= Date.now(), 'it was made for this case')
      await storeNew(inbox, { receivedAt: start - day })
      await inbox.close()
      assert.equal(await (await store.open()).createdAt(), born)
    },
  },
]

function gap(guid: string, deliveredAt: number, more: Partial<Gap> = {}): Gap {
  return {
    ...{ hookId: '1', guid, target: 'acme/shop', event: 'push', action: undefined, deliveryId: 7, deliveredAt },
    ...{ status: 'failed to connect to host', state: 'missed', asked: 0, askedAt: undefined },
    keptUntil: deliveredAt + 3 * day,
    ...more,
  }
}

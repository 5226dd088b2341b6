import assert from 'node:assert/strict'
import type { MatchOffer, Store } from '../../inbox/inbox.ts'
import { type InboxContractCase, openNew } from './case.ts'
import { newDelivery, start } from './deliveries.ts'
import { ordered, TestWorker } from './test-worker.ts'

/** Stores a delivery of each source. @returns their ids. */
async function storeFrom(inbox: Store, ...sources: string[]): Promise<number[]> {
  const ids: number[] = []
  for (const [index, source] of sources.entries()) {
    ids.push((await inbox.store(newDelivery({ source, guid: `delivery ${index}` }))).id)
  }
  return ids
}

/** Matches the offered deliveries of the sources with the handler, in one order. @returns the ids of the claimed tasks. */
async function matchFrom(inbox: Store, worker: TestWorker, sources?: string[]): Promise<number[]> {
  const offer: MatchOffer = { limit: 10, bytes: 1e6, ordered: true, sources, now: start }
  const { claimed } = await inbox.match(worker.id, offer, (offered) => {
    return offered.map(({ id }) => ({ id, summary: {}, tasks: [ordered('a', `key ${id}`, true)] }))
  })
  return claimed.map(({ id }) => id)
}

export const sourceCases: InboxContractCase[] = [
  {
    id: 'sources',
    name: 'offers the deliveries of the given sources, and those of other sources do not delay them',
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const [first, second, third, last] = await storeFrom(inbox, '/b', '/a', '/b', '/c')
      assert.equal(await inbox.nextDueAt(['a'], ['/x']), undefined)
      assert.equal(await inbox.nextDueAt(['a'], ['/x', '/c']), 0)
      assert.deepEqual(await matchFrom(inbox, worker, ['/a', '/c']), [second, last])
      assert.equal(await inbox.nextDueAt(['a'], ['/a', '/c']), undefined)
      assert.deepEqual(await matchFrom(inbox, worker, ['/a', '/c']), [])
      assert.deepEqual(await matchFrom(inbox, worker), [first, third])
    },
  },
]

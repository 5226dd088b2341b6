import assert from 'node:assert/strict'
import type { ClaimedTask, MatchOffer, Store } from '../../inbox/inbox.ts'
import { type InboxContractCase, openNew } from './case.ts'
import { minute, newDelivery, start } from './deliveries.ts'
import { only } from './seen.ts'
import { due, ordered, TestWorker } from './test-worker.ts'

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
  {
    id: 'sources-tasks',
    name: 'claims the tasks of the given sources, also if programs with other sources have a handler of the same name',
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const [retried, own, other] = await storeFrom(inbox, '/a', '/a', '/b')
      const claimFrom = async (sources: readonly string[], now: number = start) => {
        const claimed = await inbox.claim(worker.id, { wanted: { a: 9 }, bytes: 1e6, sources, now })
        return claimed.map(({ id }) => id).toSorted((a, b) => a - b)
      }
      for (const id of [own, other]) await worker.match(id as number, due('a'))
      await worker.finish(await worker.begin(retried as number, 'a'), 'failed', { nextAt: start + minute })
      assert.equal(await inbox.nextDueAt(['a'], ['/x']), undefined)
      assert.equal(await inbox.nextDueAt(['a'], ['/x', '/b']), 0)
      if (inbox.dueHandlers) {
        assert.deepEqual(await inbox.dueHandlers(start, ['/x']), [])
        assert.deepEqual(await inbox.dueHandlers(start, ['/x', '/b']), ['a'])
      }
      assert.deepEqual(await claimFrom(['/x']), [])
      assert.deepEqual(await claimFrom(['/x', '/b'], start + minute), [other])
      assert.deepEqual(await claimFrom(['/a']), [own])
      assert.equal(await inbox.nextDueAt(['a'], ['/a']), start + minute)
      assert.deepEqual(await claimFrom(['/b'], start + minute), [])
      assert.deepEqual(await claimFrom(['/a'], start + minute), [retried])
    },
  },
  {
    id: 'sources-next',
    name: 'leaves the next task with the same order key due if it is of another source',
    async run(host) {
      const inbox = await openNew(host)
      const worker = await TestWorker.register(inbox, 'a')
      const ids = await storeFrom(inbox, '/a', '/a', '/b')
      for (const id of ids) await worker.match(id, ordered('a', 'key'))
      const first = only(await worker.claim('a'))
      const ended = { nextBytes: 1e6, nextSources: ['/a'] }
      const second = only(await worker.finish(first, 'succeeded', ended)).next
      assert.equal(second?.id, ids[1])
      assert.equal('next' in only(await worker.finish(second as ClaimedTask, 'succeeded', ended)), false)
      assert.equal(only(await worker.claim('a')).id, ids[2])
    },
  },
]

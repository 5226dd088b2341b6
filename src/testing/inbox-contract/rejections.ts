import assert from 'node:assert/strict'
import type { Rejection } from '../../inbox/records.ts'
import { type InboxContractCase, openNew } from './case.ts'
import { start } from './deliveries.ts'
import { only } from './seen.ts'

/** A request that was refused, as one of many. */
function refusal(index: number, more: Partial<Rejection> = {}): Rejection {
  return {
    at: start + index,
    code: 'wrong_signature',
    status: 400,
    reason: `reason ${index}`,
    source: '/hooks',
    address: '192.0.2.1',
    event: 'push',
    guid: `guid ${index}`,
    headers: { 'x-github-event': 'push', 'x-empty': '' },
    ...more,
  }
}

export const refusingCases: InboxContractCase[] = [
  {
    id: 'refusals',
    name: 'requests that were refused are kept, newest first, with all that is known of them',
    async run(host) {
      const store = await host.create()
      const inbox = await store.open()
      assert.deepEqual(await inbox.rejections(), { latest: [], counts: {} })
      const unknown = { reason: undefined, address: undefined, event: undefined, guid: undefined, headers: {} }
      const three = [refusal(1), refusal(2, unknown), refusal(3, { code: 'overloaded', status: 503 })] as const
      await inbox.recordRejections(three.slice(0, 2), { wrong_signature: 2 })
      await inbox.recordRejections(three.slice(2), { overloaded: 1 })
      const { latest } = await inbox.rejections()
      assert.deepEqual(latest, three.toReversed())
      await inbox.close()
      assert.deepEqual((await (await store.open()).rejections()).latest, three.toReversed())
      assert.deepEqual((await (await store.open()).list({})).deliveries, [])
    },
  },
  {
    id: 'refusals-counts',
    name: 'all that were ever refused are counted, by any process',
    async run(host) {
      const store = await host.create()
      const inboxes = [await store.open(), await store.open()]
      const counts = { wrong_signature: 2, payload_too_large: 100_000 }
      await Promise.all([...inboxes, ...inboxes].map((inbox) => inbox.recordRejections([], counts)))
      await inboxes[0]?.recordRejections([], { overloaded: 1 })
      const expected = { wrong_signature: 8, payload_too_large: 400_000, overloaded: 1 }
      for (const inbox of inboxes) assert.deepEqual({ ...(await inbox.rejections()).counts }, expected)
    },
  },
  {
    id: 'refusals-most',
    name: 'the newest 1,000 are kept, and the counts stay exact',
    async run(host) {
      const inbox = await openNew(host)
      const many = Array.from({ length: 1250 }, (_, index) => refusal(index))
      await inbox.recordRejections(many.slice(0, 300), { wrong_signature: 300 })
      await inbox.recordRejections(many.slice(300), { wrong_signature: 950 })
      const { latest, counts } = await inbox.rejections()
      assert.deepEqual(latest, many.slice(-1000).toReversed())
      assert.equal(counts.wrong_signature, 1250)
    },
  },
  {
    id: 'refusals-odd',
    name: 'no text in a refused request keeps it from being noted, or one beside it',
    async run(host) {
      const inbox = await openNew(host)
      const odd = { guid: 'a\0b', event: '\ud83d', address: '', reason: '\udc00', headers: { 'x-odd': 'a\0\ud83d' } }
      await inbox.recordRejections([refusal(1, odd), refusal(2)], { wrong_signature: 2 })
      const { latest, counts } = await inbox.rejections()
      assert.equal(latest.length, 2)
      assert.equal(only(latest.slice(0, 1)).guid, 'guid 2')
      assert.equal(counts.wrong_signature, 2)
    },
  },
]

import assert from 'node:assert/strict'
import type { Count } from '../../inbox/counts.ts'
import type { Rejection } from '../../inbox/records.ts'
import { type InboxContractCase, openNew } from './case.ts'
import { start } from './deliveries.ts'
import { only } from './seen.ts'

/** One of many rejected requests. */
function rejection(index: number, more: Partial<Rejection> = {}): Rejection {
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

/** Counts of rejected requests of yesterday, by code. */
function rejected(counts: Readonly<Record<string, number>>): Count[] {
  return Object.entries(counts).map(([name, count]) => ({ at: start, measure: 'rejected', name, outcome: '', count }))
}

export const rejectionCases: InboxContractCase[] = [
  {
    id: 'rejections',
    name: 'returns rejected requests, newest first, with all their fields',
    needs: ['DeliveryReader', 'Statistics'],
    async run(host) {
      const store = await host.create()
      const inbox = await store.open()
      assert.deepEqual(await inbox.rejections(), { latest: [], counts: {} })
      const unknown = { reason: undefined, address: undefined, event: undefined, guid: undefined, headers: {} }
      const three = [rejection(1), rejection(2, unknown), rejection(3, { code: 'overloaded', status: 503 })] as const
      await inbox.recordRejections(three.slice(0, 2))
      await inbox.recordRejections(three.slice(2))
      const { latest } = await inbox.rejections()
      assert.deepEqual(latest, three.toReversed())
      await inbox.close()
      assert.deepEqual((await (await store.open()).rejections()).latest, three.toReversed())
      assert.deepEqual((await (await store.open()).list({})).deliveries, [])
    },
  },
  {
    id: 'rejections-counts',
    name: 'counts the rejected requests of all processes by code, and keeps the totals when it prunes',
    needs: ['Operations', 'Statistics'],
    async run(host) {
      const store = await host.create()
      const inboxes = [await store.open(), await store.open()]
      const counts = { wrong_signature: 2, payload_too_large: 100_000 }
      await Promise.all([...inboxes, ...inboxes].map((inbox) => inbox.addCounts(rejected(counts))))
      await inboxes[0]?.addCounts(rejected({ overloaded: 1 }))
      await inboxes[1]?.prune(Date.now())
      const expected = { wrong_signature: 8, payload_too_large: 400_000, overloaded: 1 }
      for (const inbox of inboxes) assert.deepEqual({ ...(await inbox.rejections()).counts }, expected)
    },
  },
  {
    id: 'rejections-limit',
    name: 'keeps the newest 1,000 rejected requests, and exact totals',
    needs: ['Statistics'],
    async run(host) {
      const inbox = await openNew(host)
      const many = Array.from({ length: 1250 }, (_, index) => rejection(index))
      await inbox.recordRejections(many.slice(0, 300))
      await inbox.recordRejections(many.slice(300))
      await inbox.addCounts([...rejected({ wrong_signature: 300 }), ...rejected({ wrong_signature: 950 })])
      const { latest, counts } = await inbox.rejections()
      assert.deepEqual(latest, many.slice(-1000).toReversed())
      assert.equal(counts.wrong_signature, 1250)
    },
  },
  {
    id: 'rejections-odd',
    name: 'records a rejected request with text that is not valid Unicode, and the other requests of the same call',
    needs: ['Statistics'],
    async run(host) {
      const inbox = await openNew(host)
      const odd = { guid: 'a\0b', event: '\ud83d', address: '', reason: '\udc00', headers: { 'x-odd': 'a\0\ud83d' } }
      await inbox.recordRejections([rejection(1, odd), rejection(2)])
      const { latest } = await inbox.rejections()
      assert.equal(latest.length, 2)
      assert.equal(only(latest.slice(0, 1)).guid, 'guid 2')
    },
  },
]

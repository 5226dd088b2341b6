import { expect, test } from 'vitest'
import { openAdmin } from '../administered.ts'

const rejection = {
  ...{ at: 1000, code: 'wrong_signature', status: 400, reason: 'white space', source: '/hooks', address: '192.0.2.1' },
  ...{ event: '<script>', guid: undefined, headers: { 'user-agent': '<script>alert(1)</script>' } },
}

test('the newest that were refused, and how many there were', async () => {
  const admin = await openAdmin()
  await admin.inbox.recordRejections([rejection, { ...rejection, at: 2000 }])
  await admin.inbox.addCounts([{ at: 1000, measure: 'rejected', name: 'wrong_signature', outcome: '', count: 5 }])
  const { status, headers, json } = await admin.get('/api/rejected')
  expect([status, headers['content-type']]).toEqual([200, 'application/json'])
  expect(json.counts).toEqual({ wrong_signature: 5 })
  expect(json.latest.map(({ at }: { at: number }) => at)).toEqual([2000, 1000])
  const { guid: _, ...known } = rejection
  expect(json.latest[1]).toEqual(known)
})

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { hash } from '../../runtime/recent-node.ts'
import { type InboxContractCase, openNew } from './case.ts'
import { day, newDelivery, start, storeNew } from './deliveries.ts'
import { unmatched } from './matching.ts'
import { detailOf, only } from './seen.ts'

/** Bodies that a careless store would change. */
const bodies: Record<string, Uint8Array> = {
  'one byte': Uint8Array.of(0),
  'every value of a byte, in no valid encoding': Uint8Array.from({ length: 256 }, (_, index) => index),
  'broken UTF-8 and a byte order mark': Uint8Array.of(0xef, 0xbb, 0xbf, 0xc3, 0x28, 0xff, 0x0d, 0x0a),
  'a part of a larger buffer': Uint8Array.from({ length: 100 }, (_, index) => index).subarray(10, 20),
  '3 MB that can hardly be compressed': randomBytes(3_000_000),
  '3 MB of the same byte': new Uint8Array(3_000_000).fill(0x20),
}

export const identityCases: InboxContractCase[] = [
  {
    id: 'identity',
    name: 'treats a delivery with another source, hook id, GUID or secret id as a different delivery',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const first = newDelivery()
      const others = [
        { source: '/other' },
        { hookId: '' },
        { hookId: '7' },
        { guid: 'another' },
        { secretId: 'another' },
      ]
      const receipts = await Promise.all([{}, ...others].map((more) => inbox.store({ ...first, ...more })))
      assert.deepEqual(new Set(receipts.map(({ outcome }) => outcome)), new Set(['stored']))
      assert.equal(new Set(receipts.map(({ id }) => id)).size, 6)
      for (const { id } of receipts) assert.equal((await detailOf(inbox, id)).conflict, false)
    },
  },
  {
    id: 'identity-parts',
    name: 'does not confuse the parts of an identity',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const first = newDelivery({ source: 'a', hookId: 'bc', guid: 'd' })
      await storeNew(inbox, first)
      for (const parts of [
        { source: 'ab', hookId: 'c', guid: 'd' },
        { source: 'a', hookId: 'b', guid: 'cd' },
        { source: 'a","bc', hookId: '', guid: 'd' },
        { source: 'A', hookId: 'bc', guid: 'd' },
        { source: 'a', hookId: 'bc', guid: 'd ' },
      ]) {
        const id = await storeNew(inbox, { ...first, ...parts })
        const { source, hookId, guid, conflict } = await detailOf(inbox, id)
        assert.deepEqual({ source, hookId, guid, conflict }, { ...parts, conflict: false })
      }
    },
  },
  {
    id: 'summary',
    name: 'returns all properties of a delivery',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const headers = {
        'x-empty': '',
        'x-utf-8': 'naïve 🚀',
        'x-github-event': 'push',
        ['__proto__']: 'a name like any other',
      }
      const said = { headers, event: 'push', form: 'form', receivedAt: start - day, address: '2001:db8::1' } as const
      const signed = { secretId: 'installation 7', secretIndex: 1, algorithm: 'sha1' }
      const trace = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
      const first = newDelivery({ ...said, ...signed, trace })
      const id = await storeNew(inbox, first)

      const { algorithm, address, ...kept } = first
      const flags = { pulled: false, redelivered: false, conflict: false, replayed: false }
      const found = only(await unmatched(inbox, 10, 1e6))
      assert.deepEqual([...found.body], [...first.body])
      assert.deepEqual({ ...found, ...kept, ...flags, id, body: found.body }, found)
      const detail = await detailOf(inbox, id)
      const { body, trace: _, ...shown } = first
      assert.deepEqual({ ...detail, ...shown }, detail)
      assert.equal(detail.size, body.length)
      assert.ok(
        Math.abs(detail.storedAt - Date.now()) < day / 2,
        'storedAt is the current time, even if the delivery was received earlier',
      )
    },
  },
  {
    id: 'summary-missing',
    name: 'returns undefined for properties of a delivery that are unknown',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const unknown = { address: undefined, secretId: undefined, secretIndex: undefined, algorithm: undefined }
      const id = await storeNew(inbox, { ...unknown, hookId: '', headers: {} })
      const detail = await detailOf(inbox, id)
      for (const name of Object.keys(unknown)) assert.equal(detail[name as keyof typeof unknown], undefined)
      for (const name of ['reason', 'nextAttemptAt', 'action', 'repository', 'sender', 'title', 'number'] as const) {
        assert.equal(detail[name], undefined)
      }
      assert.deepEqual(detail.headers, {})
      assert.equal(only(await unmatched(inbox, 10, 1e6)).trace, undefined)
    },
  },
  ...Object.entries(bodies).map(
    ([what, body], index) =>
      ({
        id: `bytes-${index + 1}`,
        name: `returns the exact bytes: ${what}`,
        async run(host) {
          const inbox = await openNew(host)
          const id = await storeNew(inbox, { body })
          assertBytes(only(await unmatched(inbox, 1, 1e9)).body, body)
          assertBytes(only(await inbox.load([id])).body, body)
        },
      }) satisfies InboxContractCase,
  ),
  ...Object.entries(bodies).map(
    ([what, body], index) =>
      ({
        id: `body-${index + 1}`,
        name: `shows the exact bytes, their number and their hash: ${what}`,
        needs: ['DeliveryReader'],
        async run(host) {
          const inbox = await openNew(host)
          const id = await storeNew(inbox, { body })
          assertBytes(await inbox.body(id), body)
          const { size, sha256 } = await detailOf(inbox, id)
          assert.equal(size, body.length)
          assert.equal(sha256, hash('sha256', body))
        },
      }) satisfies InboxContractCase,
  ),
  {
    id: 'unknown',
    name: 'returns nothing for an unknown delivery',
    needs: ['DeliveryReader'],
    async run(host) {
      const inbox = await openNew(host)
      const id = await storeNew(inbox)
      const missing = id + 1000
      assert.equal(await inbox.get(missing), undefined)
      assert.equal(await inbox.body(missing), undefined)
      assert.deepEqual(
        (await inbox.load([missing, id])).map((delivery) => delivery.id),
        [id],
      )
    },
  },
]

function assertBytes(found: Uint8Array | undefined, expected: Uint8Array): void {
  assert.ok(found instanceof Uint8Array)
  assert.ok(Buffer.from(expected).equals(found), `${found.length} bytes, the same`)
}

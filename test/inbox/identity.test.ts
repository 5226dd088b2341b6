import { expect, test } from 'vitest'
import { guidKey, identitiesOf, identityOf } from '../../src/inbox/identity.ts'

const one = { source: '/hooks', hookId: '1', guid: 'g' }
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

test('an identity depends only on source, hook id, GUID and secret id', () => {
  const other = { ...one, event: 'push' }
  expect(hex(identityOf(one))).toBe(hex(identityOf(other)))
  const moved = [
    { ...one, source: '/' },
    { ...one, hookId: '' },
    { ...one, guid: 'h' },
  ]
  const all = [one, ...moved, { ...one, secretId: 'second' }]
  expect(new Set(all.map((identity) => hex(identityOf(identity)))).size).toBe(5)
})

test('characters moved from one part to the next change the identity', () => {
  const shifted = { source: '/hooks1', hookId: '', guid: 'g' }
  const quoted = { source: '/hooks","1', hookId: '', guid: 'g' }
  expect(new Set([one, shifted, quoted].map((identity) => hex(identityOf(identity)))).size).toBe(3)
})

test('an identity has 16 bytes, and starts with the 8 bytes of the GUID', () => {
  expect(identityOf(one)).toHaveLength(16)
  expect(hex(identityOf(one).subarray(0, 8))).toBe(hex(guidKey('g')))
})

test('the identities of a GUID are between its first and its last one, and those of other GUIDs are not', () => {
  const [first, last] = identitiesOf('g')
  const isBetween = (identity: Uint8Array) =>
    Buffer.compare(first, identity) <= 0 && Buffer.compare(identity, last) <= 0
  const sources = Array.from({ length: 100 }, (_, index) => `/hooks/${index}`)
  for (const source of sources) expect(isBetween(identityOf({ ...one, source, secretId: source }))).toBe(true)
  for (const guid of sources) expect(isBetween(identityOf({ ...one, guid }))).toBe(false)
  const key = guidKey('g')
  for (const byte of [0x00, 0xff]) expect(isBetween(Buffer.concat([key, Buffer.alloc(8, byte)]))).toBe(true)
  for (const change of [-1n, 1n]) {
    const neighbor = Buffer.alloc(16, change < 0n ? 0xff : 0)
    neighbor.writeBigUInt64BE(Buffer.from(key).readBigUInt64BE() + change)
    expect(isBetween(neighbor)).toBe(false)
  }
})

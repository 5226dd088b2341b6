import { expect, test } from 'vitest'
import { conflictIdentityOf, guidKey, identitiesOf, identityOf, newKey } from '../../src/inbox/identity.ts'

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

test('the identity of a conflict depends on its bytes too, and is one of those of its GUID', () => {
  const [a, b] = [Uint8Array.of(1), Uint8Array.of(2)]
  const identities = [identityOf(one), conflictIdentityOf(one, a), conflictIdentityOf(one, b)]
  expect(new Set(identities.map(hex)).size).toBe(3)
  expect(hex(conflictIdentityOf({ ...one, secretId: 'second' }, a))).not.toBe(hex(conflictIdentityOf(one, a)))
  const [first, last] = identitiesOf('g')
  for (const identity of identities) {
    expect(identity).toHaveLength(16)
    expect(Buffer.compare(first, identity) <= 0 && Buffer.compare(identity, last) <= 0).toBe(true)
  }
})

test.each([
  ['the first delivery of an identity', [], identityOf(one), 0],
  ['a conflict', [0], conflictIdentityOf(one, Uint8Array.of(1)), 1],
  ['a conflict with a gap in the known variants', [3], conflictIdentityOf(one, Uint8Array.of(1)), 4],
])('the key of %s', (_name, variants, identity, variant) => {
  const known = variants.map((variant) => ({ variant }))
  expect(newKey(known, one, Uint8Array.of(1))).toEqual({ identity, variant })
})

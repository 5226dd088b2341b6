import { expect, test } from 'vitest'
import { guidKey, identityOf } from '../../src/inbox/identity.ts'

const one = { source: '/hooks', hookId: '1', guid: 'g' }
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

test('an identity depends on source, hook id, GUID and secret id only', () => {
  const other = { ...one, event: 'push' }
  expect(hex(identityOf(one))).toBe(hex(identityOf(other)))
  const all = [one, { ...one, source: '/' }, { ...one, hookId: '' }, { ...one, guid: 'h' }]
  expect(new Set(all.map((identity) => hex(identityOf(identity)))).size).toBe(4)
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

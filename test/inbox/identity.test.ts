import { describe, expect, test } from 'vitest'
import { guidKey, identitiesOf, identityOf } from '../../src/inbox/identity.ts'

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

describe('the key of a GUID', () => {
  const earlier = 'ffffffff-cc78-11e3-81ab-4c9367dc0958'
  const later = '00000000-cc79-11e3-81ab-4c9367dc0958'

  test('of a UUID version 1 has its bytes, and sorts by its time', () => {
    expect(hex(guidKey('72d3162e-cc78-11e3-81ab-4c9367dc0958'))).toBe('11e3cc7872d3162e81ab4c9367dc0958')
    expect(Buffer.compare(guidKey(earlier), guidKey(later))).toBe(-1)
  })

  test.each([
    '72D3162E-cc78-11e3-81ab-4c9367dc0958',
    '72d3162e-cc78-41e3-81ab-4c9367dc0958',
    '72d3162ecc7811e381ab4c9367dc0958',
    '72d3162e-cc78-11e3-81ab-4c9367dc09580',
    ' 72d3162e-cc78-11e3-81ab-4c9367dc0958',
    '72d3162e-cc78-11e3-81ab-4c9367dc0958\n',
    '',
  ])('of any other GUID is a hash that no UUID version 1 has as its key: %j', (guid) => {
    const key = guidKey(guid)
    expect(key).toHaveLength(8)
    expect((key[0] as number) >> 4).toBeGreaterThanOrEqual(8)
  })

  test.each([earlier, later, 'g'])(
    '%s is found between the first and the last identity of it, and no other',
    (guid) => {
      const [first, last] = identitiesOf(guid)
      const isBetween = (identity: Uint8Array) =>
        Buffer.compare(first, identity) <= 0 && Buffer.compare(identity, last) <= 0
      const found = [earlier, later, 'g', 'h'].filter((other) => isBetween(identityOf({ ...one, guid: other })))
      expect(found).toEqual([guid])
    },
  )
})

test('an identity stays the same, however many others are made between', () => {
  const before = hex(identityOf(one))
  for (let count = 0; count < 2500; count++) identityOf({ ...one, hookId: `${count}` })
  expect(hex(identityOf(one))).toBe(before)
})

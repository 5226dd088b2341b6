import { hash } from 'node:crypto'
import { day } from './counts.ts'

/**
 * What tells deliveries apart. `secretId` belongs to it: a sender with one secret must not be able to make a delivery of
 * another secret a duplicate.
 */
interface Identified {
  source: string
  hookId: string
  guid: string
  secretId?: string | undefined
}

/**
 * The identity of a delivery: the key of its GUID, and 8 bytes of a hash of the rest. The key comes first, so that the
 * index of identities also finds a delivery by its GUID alone.
 */
export function identityOf({ source, hookId, guid, secretId = '' }: Identified): Uint8Array {
  return Buffer.concat([guidKey(guid), placeOf(source, hookId, secretId)])
}

/** GitHub's GUIDs are UUIDs version 1: 60 bits of time, lowest first, then the clock sequence and the node. */
const timeUuid = /^([0-9a-f]{8})-([0-9a-f]{4})-(1[0-9a-f]{3})-([0-9a-f]{4})-([0-9a-f]{12})$/

/**
 * The key of a UUID version 1 is its 16 bytes, those of its time in order: GitHub's deliveries arrive in about this order,
 * so they share the pages of the index that a commit writes. Keys in random order change a page of 8 kB for each
 * delivery: 12.8 kB written instead of 6.6, at 16 deliveries a commit. The key of any other GUID is 8 bytes of a hash. Its first bit is set, and that of a UUID's key is not.
 */
export function guidKey(guid: string): Uint8Array {
  const [, low, middle, high, sequence, node] = timeUuid.exec(guid) ?? []
  if (low !== undefined) return Buffer.from(`${high}${middle}${low}${sequence}${node}`, 'hex')
  const key = hash('sha256', guid, 'buffer').subarray(0, 8)
  key[0] = (key[0] as number) | 0x80
  return key
}

/** The deliveries of an inbox come from few places. */
const maxPlaces = 1000
const places = new Map<string, Uint8Array>()

/** Kept, since a hash takes longer than the rest of an identity. */
function placeOf(source: string, hookId: string, secretId: string): Uint8Array {
  const name = JSON.stringify([source, hookId, secretId])
  let place = places.get(name)
  if (!place) {
    if (places.size >= maxPlaces) places.clear()
    place = hash('sha256', name, 'buffer').subarray(0, 8)
    places.set(name, place)
  }
  return place
}

/** The first and the last identity that a delivery of this GUID can have. */
export function identitiesOf(guid: string): [first: Uint8Array, last: Uint8Array] {
  const key = guidKey(guid)
  return [key, Buffer.concat([key, Buffer.alloc(8, 0xff)])]
}

/**
 * Milliseconds for which a tombstone keeps the identity of a pruned delivery, to recognize a redelivery. GitHub Enterprise
 * Server allows redeliveries for 7 days; this is a day longer.
 */
export const tombstoneAge: number = 8 * day

/** Finds deliveries with the same bytes: 6 bytes of the hash, for a small index, and a safe integer in JavaScript. */
export function hashKey(sha256: Uint8Array): number {
  return Buffer.from(sha256).readUIntBE(0, 6)
}

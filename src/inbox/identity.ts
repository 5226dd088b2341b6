import { hash } from 'node:crypto'
import { day } from './counts.ts'

/**
 * The properties that identify a delivery. `secretId` is one of them because there may be several secrets. Without it,
 * a sender who knows one secret could copy a delivery that is signed with another secret. If the copy arrived first,
 * the store would take the delivery itself for a duplicate.
 */
interface Identified {
  source: string
  hookId: string
  guid: string
  secretId?: string | undefined
}

/**
 * The identity of a delivery. It has only 16 bytes, to keep the index of identities small: this index is the most
 * expensive one, because GUIDs arrive in random order. The hash of the GUID comes first, so that the same index finds a
 * delivery by its GUID alone.
 */
export function identityOf({ source, hookId, guid, secretId = '' }: Identified): Uint8Array {
  const place = hash('sha256', JSON.stringify([source, hookId, secretId]), 'buffer').subarray(0, 8)
  return Buffer.concat([guidKey(guid), place])
}

export function guidKey(guid: string): Uint8Array {
  return hash('sha256', guid, 'buffer').subarray(0, 8)
}

/** The first and the last identity that a delivery of this GUID can have. */
export function identitiesOf(guid: string): [first: Uint8Array, last: Uint8Array] {
  const key = guidKey(guid)
  return [key, Buffer.concat([key, Buffer.alloc(8, 0xff)])]
}

/**
 * The variant of a new delivery that has the identity of the known deliveries, but other bytes. It is not the number of
 * known deliveries, because pruning may leave gaps in the variants.
 */
export const nextVariant = (known: readonly { variant: number }[]): number =>
  known.reduce((next, { variant }) => Math.max(next, variant + 1), 0)

/**
 * Milliseconds for which a tombstone keeps the identity of a pruned delivery, so that the store recognizes a
 * redelivery. GitHub Enterprise Server allows redeliveries for 7 days; this is a day longer.
 */
export const tombstoneAge: number = 8 * day

/**
 * A key to find deliveries with the same bytes: the first 6 bytes of the hash, as a safe integer. A key of only 6 bytes
 * keeps the index small.
 */
export function hashKey(sha256: Uint8Array): number {
  return Buffer.from(sha256).readUIntBE(0, 6)
}

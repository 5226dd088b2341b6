import { hash } from '../runtime/recent-node.ts'
import { day } from '../runtime/units.ts'

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
  return Buffer.concat([guidKey(guid), placeKey([source, hookId, secretId])])
}

/**
 * The identity of a delivery that conflicts with a delivery of the same `identityOf`. It depends on the bytes too, so a
 * lookup reads few deliveries, however many conflicts a sender creates.
 */
export function conflictIdentityOf(
  { source, hookId, guid, secretId = '' }: Identified,
  sha256: Uint8Array,
): Uint8Array {
  const bytes = Buffer.from(sha256).toString('hex')
  return Buffer.concat([guidKey(guid), placeKey([source, hookId, secretId, bytes])])
}

const placeKey = (parts: string[]): Uint8Array => hash('sha256', JSON.stringify(parts), 'buffer').subarray(0, 8)

export function guidKey(guid: string): Uint8Array {
  return hash('sha256', guid, 'buffer').subarray(0, 8)
}

/** The first and the last identity that a delivery of this GUID can have. */
export function identitiesOf(guid: string): [first: Uint8Array, last: Uint8Array] {
  const key = guidKey(guid)
  return [key, Buffer.concat([key, Buffer.alloc(8, 0xff)])]
}

/**
 * Whether a delivery is a copy of a stored or pruned one that has the same identity: it has the same bytes, or one of the
 * two was pulled, so that its bytes are not those that GitHub sent.
 */
export function isCopyOf(
  known: { sha256: Uint8Array; pulled: boolean | number },
  delivery: { pulled?: boolean | undefined },
  sha256: Uint8Array,
): boolean {
  return Boolean(delivery.pulled || known.pulled) || Buffer.compare(known.sha256, sha256) === 0
}

/** The key of a delivery in the index of identities. */
export interface DeliveryKey {
  identity: Uint8Array
  variant: number
}

/**
 * The key of a new delivery.
 * @param known The keys of `identityOf` and of `conflictIdentityOf` that are in use. All of these deliveries have other
 *   bytes, and none was pulled. The variant is not their number, because pruning may leave gaps.
 */
export function newKey(known: readonly { variant: number }[], delivery: Identified, sha256: Uint8Array): DeliveryKey {
  return {
    identity: known.length > 0 ? conflictIdentityOf(delivery, sha256) : identityOf(delivery),
    variant: known.reduce((next, { variant }) => Math.max(next, variant + 1), 0),
  }
}

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

import { hash } from 'node:crypto'

/** What tells deliveries apart; `secretId` since whoever holds one secret must not answer for another's deliveries. */
interface Identified {
  source: string
  hookId: string
  guid: string
  secretId?: string | undefined
}

/**
 * The identity of a delivery, hashed: of all indexes this one grows most costly, since GUIDs come in no order. The
 * GUID's part stands in front, so that the same index finds a delivery by its GUID alone.
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

/** By which the same bytes are found again. Short, for a small index; and exact as a number of JavaScript's. */
export function hashKey(sha256: Uint8Array): number {
  return Buffer.from(sha256).readUIntBE(0, 6)
}

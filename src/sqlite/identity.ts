import { hash } from 'node:crypto'

/**
 * The identity of a delivery, hashed: of all indexes this one grows most costly, since GUIDs come in no order. The
 * GUID's part stands in front, so that the same index finds a delivery by its GUID alone.
 */
export function identityOf({ source, hookId, guid }: { source: string; hookId: string; guid: string }): Uint8Array {
  const place = hash('sha256', JSON.stringify([source, hookId]), 'buffer').subarray(0, 8)
  return Buffer.concat([guidKey(guid), place])
}

export function guidKey(guid: string): Uint8Array {
  return hash('sha256', guid, 'buffer').subarray(0, 8)
}

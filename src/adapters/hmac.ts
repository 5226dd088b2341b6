import { createSecretKey, type KeyObject, createHmac as nodeHmac } from 'node:crypto'
import type { CreateHmac } from '../http.ts'

const keys = new WeakMap<Uint8Array, KeyObject>()

/**
 * Node's `createHmac`, which can be fed by chunks. Handing it bytes makes it build a key each time, at three
 * times the cost of the HMAC of a usual delivery, so the key is kept for as long as its bytes are.
 */
export const createHmac: CreateHmac = (algorithm, bytes) => {
  let key = keys.get(bytes)
  if (!key) keys.set(bytes, (key = createSecretKey(bytes)))
  return nodeHmac(algorithm, key)
}

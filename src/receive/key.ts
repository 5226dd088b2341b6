import type { CreateHmac, HashName, Hmac } from '../http.ts'
import type { Secret } from '../options.ts'

const webCryptoName: Record<HashName, string> = { sha256: 'SHA-256', sha1: 'SHA-1' }
type CryptoKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>

const encoder = new TextEncoder()

/** A secret as HMAC key. */
export class Key {
  readonly bytes: Uint8Array
  readonly #imported = new Map<HashName, Promise<CryptoKey>>()

  /** @throws {TypeError} for an empty secret: its HMAC can be made by anybody. */
  constructor(secret: Secret) {
    this.bytes = typeof secret === 'string' ? encoder.encode(secret) : secret
    if (!(this.bytes instanceof Uint8Array) || this.bytes.length === 0) {
      throw new TypeError('A secret must be a non-empty string or Uint8Array')
    }
  }

  /** The HMAC of `body`. */
  async hmac(algorithm: HashName, body: Uint8Array, createHmac?: CreateHmac): Promise<Uint8Array> {
    if (createHmac) return digestOf(createHmac(algorithm, this.bytes), body)
    return new Uint8Array(
      await crypto.subtle.sign('HMAC', await this.#import(algorithm), body as Uint8Array<ArrayBuffer>),
    )
  }

  #import(algorithm: HashName): Promise<CryptoKey> {
    let key = this.#imported.get(algorithm)
    if (!key) {
      const hash = { name: 'HMAC', hash: webCryptoName[algorithm] }
      key = crypto.subtle.importKey('raw', this.bytes as Uint8Array<ArrayBuffer>, hash, false, ['sign'])
      this.#imported.set(algorithm, key)
    }
    return key
  }
}

function digestOf(hmac: Hmac, body: Uint8Array): Uint8Array {
  hmac.update(body)
  return hmac.digest()
}

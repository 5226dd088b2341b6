import type { CreateHmac, HashName, Hmac } from '../http.ts'
import { builtinModule } from '../runtime/platform.ts'

/** The members of `node:crypto` that are used. */
interface Crypto {
  createSecretKey(bytes: Uint8Array): object
  createHmac(algorithm: HashName, key: object): Hmac
  /** Missing in some versions of Bun and Deno. */
  hash?(algorithm: HashName, data: Uint8Array, encoding: 'buffer'): Uint8Array
}

const crypto = builtinModule<Crypto>('node:crypto')

/** The HMAC of `node:crypto`; `undefined` on a platform without that module. */
export const createHmac: CreateHmac | undefined = crypto && createHmacWith(crypto)

/** @param crypto `node:crypto` */
export function createHmacWith(crypto: Crypto): CreateHmac {
  const { hash } = crypto
  const keys = new WeakMap<Uint8Array, Partial<Record<HashName, HmacKey>>>()
  return (algorithm, bytes) => {
    let ofSecret = keys.get(bytes)
    if (!ofSecret) keys.set(bytes, (ofSecret = {}))
    const key = (ofSecret[algorithm] ??= new HmacKey(crypto, algorithm, bytes))
    return hash ? new ChunkHmac(key, hash) : key.createHmac()
  }
}

/** Bytes of a block of SHA-1 and of SHA-256. */
const blockSize = 64
const digestSize: Record<HashName, number> = { sha256: 32, sha1: 20 }
/** Maximum bytes of a chunk that `ChunkHmac` copies: Node.js reads at most this many bytes from a socket at once. */
const maxChunk = 64 * 1024

/**
 * A buffer for the input of the inner hash: a block of the key, then the message. All HMACs share the buffer, because
 * `digest` fills and hashes it synchronously.
 */
let scratch: Uint8Array | undefined

/** A secret, prepared for one algorithm. */
class HmacKey {
  readonly algorithm: HashName
  readonly #crypto: Crypto
  readonly #bytes: Uint8Array
  /**
   * The key object, which is kept between calls. If `crypto.createHmac` got the bytes, Node.js would create a key
   * object in each call, which takes three times as long as the HMAC of a delivery of the usual size.
   */
  #object: object | undefined
  #blocks: { inner: Uint8Array; outer: Uint8Array } | undefined

  constructor(crypto: Crypto, algorithm: HashName, bytes: Uint8Array) {
    this.algorithm = algorithm
    this.#crypto = crypto
    this.#bytes = bytes
  }

  createHmac(): Hmac {
    this.#object ??= this.#crypto.createSecretKey(this.#bytes)
    return this.#crypto.createHmac(this.algorithm, this.#object)
  }

  /** The key XOR ipad, and the key XOR opad with room for the inner digest after it (RFC 2104, section 2). */
  blocks(hash: NonNullable<Crypto['hash']>): { inner: Uint8Array; outer: Uint8Array } {
    if (!this.#blocks) {
      const block = new Uint8Array(blockSize)
      block.set(this.#bytes.length > blockSize ? hash(this.algorithm, this.#bytes, 'buffer') : this.#bytes)
      const outer = new Uint8Array(blockSize + digestSize[this.algorithm])
      outer.set(block.map((byte) => byte ^ 0x5c))
      this.#blocks = { inner: block.map((byte) => byte ^ 0x36), outer }
    }
    return this.#blocks
  }
}

/**
 * If the message is one small chunk, computes its HMAC with two calls of `crypto.hash`. An object of
 * `crypto.createHmac` would take 4 µs longer; a whole request takes about 50 µs. For a larger message or several
 * chunks, this class uses such an object.
 */
class ChunkHmac implements Hmac {
  readonly #key: HmacKey
  readonly #hash: NonNullable<Crypto['hash']>
  #chunk: Uint8Array | undefined
  #hmac: Hmac | undefined

  constructor(key: HmacKey, hash: NonNullable<Crypto['hash']>) {
    this.#key = key
    this.#hash = hash
  }

  update(chunk: Uint8Array): void {
    if (!this.#chunk && !this.#hmac && chunk.length <= maxChunk) {
      this.#chunk = chunk
      return
    }
    this.#hmac ??= this.#key.createHmac()
    if (this.#chunk) this.#hmac.update(this.#chunk)
    this.#chunk = undefined
    this.#hmac.update(chunk)
  }

  digest(): Uint8Array {
    if (!this.#chunk) return (this.#hmac ?? this.#key.createHmac()).digest()
    const { inner, outer } = this.#key.blocks(this.#hash)
    const { algorithm } = this.#key
    scratch ??= new Uint8Array(blockSize + maxChunk)
    scratch.set(inner)
    scratch.set(this.#chunk, blockSize)
    const message = scratch.subarray(0, blockSize + this.#chunk.length)
    outer.set(this.#hash(algorithm, message, 'buffer'), blockSize)
    return this.#hash(algorithm, outer, 'buffer')
  }
}

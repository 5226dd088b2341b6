import { HookError } from '../errors.ts'
import type { CreateHmac, HashName, Hmac } from '../http.ts'
import type { Secret } from '../options.ts'

/** The signature that a request claims to have. */
export interface Claim {
  algorithm: HashName
  digest: Uint8Array
}

const headerOf: Record<HashName, string> = { sha256: 'x-hub-signature-256', sha1: 'x-hub-signature' }
const digestLength: Record<HashName, number> = { sha256: 32, sha1: 20 }

/**
 * The claim of the strongest accepted signature that is present. If it is there, even empty, it alone counts:
 * a weaker one beside it must not save a request whose stronger one is wrong.
 * @throws {HookError} `missing_signature`, or `wrong_signature` for one that no body could have.
 */
export function readClaim(headers: Readonly<Record<string, string | undefined>>, accepted: readonly HashName[]): Claim {
  for (const algorithm of ['sha256', 'sha1'] as const) {
    const header = accepted.includes(algorithm) ? headers[headerOf[algorithm]] : undefined
    if (header === undefined) continue
    const claim = parseSignature(header)
    if (claim?.algorithm === algorithm) return claim
    const shape = `"${algorithm}=" and ${2 * digestLength[algorithm]} hexadecimal digits`
    throw new HookError('wrong_signature', {
      cause: `${headerOf[algorithm]} is ${header === '' ? 'empty' : `not ${shape}`}`,
    })
  }
  const refused = headers[headerOf.sha1] !== undefined || headers[headerOf.sha256] !== undefined
  const cause = refused ? 'signatureAlgorithms refuses the one that came' : 'the webhook on GitHub has no secret'
  throw new HookError('missing_signature', { cause })
}

/** `sha256=` or `sha1=` and the digest in hexadecimal; `undefined` for anything else. */
export function parseSignature(text: string): Claim | undefined {
  const algorithm = text.startsWith('sha256=') ? 'sha256' : text.startsWith('sha1=') ? 'sha1' : undefined
  if (!algorithm) return undefined
  const digest = parseHex(text, algorithm.length + 1, digestLength[algorithm])
  return digest && { algorithm, digest }
}

/** The `length` bytes that `text` spells from `start` to its end. */
function parseHex(text: string, start: number, length: number): Uint8Array | undefined {
  if (text.length !== start + 2 * length) return undefined
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i++) {
    const high = hexDigit(text.charCodeAt(start + 2 * i))
    const low = hexDigit(text.charCodeAt(start + 2 * i + 1))
    if (high < 0 || low < 0) return undefined
    bytes[i] = (high << 4) | low
  }
  return bytes
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48
  const lower = code | 32
  return lower >= 97 && lower <= 102 ? lower - 87 : -1
}

/** Compares in a time that depends on the lengths alone. */
export function equalDigests(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= (a[i] as number) ^ (b[i] as number)
  return difference === 0
}

/**
 * Signs a body as GitHub does.
 * @param body Text is signed as its UTF-8 bytes.
 * @param algorithm `sha256` for `X-Hub-Signature-256` (the default), `sha1` for `X-Hub-Signature`.
 * @returns The header's value, `sha256=…`.
 * @throws {TypeError} for an empty secret.
 */
export async function sign(secret: Secret, body: string | Uint8Array, algorithm: HashName = 'sha256'): Promise<string> {
  return formatSignature(algorithm, await new Key(secret).hmac(algorithm, bytesOf(body)))
}

/**
 * Whether `signature` (`sha256=…` or `sha1=…`) is that of `body`, compared in constant time.
 * A malformed signature, or none, is a wrong one.
 * @throws {TypeError} for an empty secret.
 */
export async function verify(secret: Secret, body: string | Uint8Array, signature: string): Promise<boolean> {
  const key = new Key(secret)
  const claim = typeof signature === 'string' ? parseSignature(signature) : undefined
  return claim !== undefined && equalDigests(claim.digest, await key.hmac(claim.algorithm, bytesOf(body)))
}

export function formatSignature(algorithm: HashName, digest: Uint8Array): string {
  return `${algorithm}=${Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')}`
}

function bytesOf(body: string | Uint8Array): Uint8Array {
  return typeof body === 'string' ? new TextEncoder().encode(body) : body
}

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

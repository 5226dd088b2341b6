import { HookError } from '../errors.ts'
import { type CreateHmac, type HashName, type HeaderSource, headerOf } from '../http.ts'
import type { Secret } from '../options.ts'

/** A signature header, parsed and not yet verified. */
export interface SignatureHeader {
  algorithm: HashName
  digest: Uint8Array
}

const headerNames: Record<HashName, string> = { sha256: 'x-hub-signature-256', sha1: 'x-hub-signature' }
const digestLength: Record<HashName, number> = { sha256: 32, sha1: 20 }

const strongestFirst: readonly HashName[] = ['sha256', 'sha1']

/**
 * The strongest signature header that the request has and that `accepted` allows. No other header counts, even if this
 * one is empty, because a valid weaker signature must not rescue a request whose stronger signature is wrong.
 * @throws {HookError} `missing_signature`, or `wrong_signature` for a malformed one.
 */
export function readSignature(request: HeaderSource, accepted: readonly HashName[]): SignatureHeader {
  for (const algorithm of strongestFirst) {
    const header = accepted.includes(algorithm) ? headerOf(request, headerNames[algorithm]) : undefined
    if (header === undefined) continue
    const signature = parseSignature(header)
    if (signature?.algorithm === algorithm) return signature
    const shape = `"${algorithm}=" and ${2 * digestLength[algorithm]} hexadecimal digits`
    throw new HookError('wrong_signature', {
      cause: `${headerNames[algorithm]} is ${header === '' ? 'empty' : `not ${shape}`}`,
    })
  }
  const excluded = strongestFirst.some((algorithm) => headerOf(request, headerNames[algorithm]) !== undefined)
  const cause = excluded
    ? 'signatureAlgorithms excludes the algorithm of the signature that was sent'
    : 'probably the webhook on GitHub has no secret'
  throw new HookError('missing_signature', { cause })
}

/** `sha256=` or `sha1=` and the digest in hexadecimal; `undefined` for anything else. */
export function parseSignature(text: string): SignatureHeader | undefined {
  const algorithm = text.startsWith('sha256=') ? 'sha256' : text.startsWith('sha1=') ? 'sha1' : undefined
  if (!algorithm) return undefined
  const digest = parseHex(text, algorithm.length + 1, digestLength[algorithm])
  return digest && { algorithm, digest }
}

/** The hexadecimal digits from `start` to the end of `text`, as `length` bytes. */
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

/** Compares in constant time: the time depends only on the lengths. */
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
 * @returns The header's value, such as `sha256=…`.
 * @throws {TypeError} for an empty or blank secret.
 */
export async function sign(secret: Secret, body: string | Uint8Array, algorithm: HashName = 'sha256'): Promise<string> {
  return formatSignature(algorithm, await new Key(secret).hmac(algorithm, bytesOf(body)))
}

/**
 * Whether `signature` (`sha256=…` or `sha1=…`) is the signature of `body`, compared in constant time. `false` if
 * `signature` is malformed or missing.
 * @throws {TypeError} for an empty or blank secret.
 */
export async function verify(
  secret: Secret,
  body: string | Uint8Array,
  signature: string | null | undefined,
): Promise<boolean> {
  const key = new Key(secret)
  const parsed = typeof signature === 'string' ? parseSignature(signature) : undefined
  return parsed !== undefined && equalDigests(parsed.digest, await key.hmac(parsed.algorithm, bytesOf(body)))
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

/** A secret as an HMAC key. */
export class Key {
  readonly bytes: Uint8Array
  readonly #imported = new Map<HashName, Promise<CryptoKey>>()

  /** @throws {TypeError} for an empty or blank secret: anyone can compute its HMAC. */
  constructor(secret: Secret) {
    this.bytes = typeof secret === 'string' ? encoder.encode(secret) : secret
    const isBlank = typeof secret === 'string' && secret.trim() === ''
    if (isBlank || !(this.bytes instanceof Uint8Array) || this.bytes.length === 0) {
      throw new TypeError('A secret must be a text that is not blank, or a non-empty Uint8Array')
    }
  }

  async hmac(algorithm: HashName, body: Uint8Array, createHmac?: CreateHmac): Promise<Uint8Array> {
    if (createHmac) {
      const hmac = createHmac(algorithm, this.bytes)
      hmac.update(body)
      return hmac.digest()
    }
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

/** The index of the key that signed `body`; -1 if none did. @param from The first key to try. */
export async function findSigner(
  keys: readonly Key[],
  signature: SignatureHeader,
  body: Uint8Array,
  createHmac?: CreateHmac,
  from: number = 0,
): Promise<number> {
  for (const [index, key] of keys.entries()) {
    if (index < from) continue
    if (equalDigests(await key.hmac(signature.algorithm, body, createHmac), signature.digest)) return index
  }
  return -1
}

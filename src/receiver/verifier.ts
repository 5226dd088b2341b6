import { HookError } from '../errors.ts'
import type { Hmac, HookRequest } from '../http.ts'
import type { ResolvedSecret, Secret, SecretResolver } from '../options.ts'
import { Deadline } from '../runtime/deadline.ts'
import type { Settings } from '../settings.ts'
import { explainWrongSignature } from './explain.ts'
import type { Explain } from './rejection-log.ts'
import { equalDigests, findSigner, formatSignature, Key, readSignature, type SignatureHeader } from './signature.ts'

/** The keys that may have signed a delivery, in the order in which they are tried. */
interface Keyring {
  keys: readonly Key[]
  /** The `id` that the secret resolver returned. */
  id: string | undefined
}

/** The keyring of a mount: the same for all deliveries, or resolved for each. */
export class Secrets {
  /**
   * The keyring for all deliveries, so that the HMAC can be computed while the body arrives; `undefined` with a secret
   * resolver.
   */
  readonly fixed: Keyring | undefined
  readonly #resolver: SecretResolver | undefined

  constructor(option: NonNullable<Settings['secret']>) {
    if (typeof option === 'function') this.#resolver = option
    else this.fixed = keyringOf(option)
  }

  /** @throws {HookError} `secret_unavailable` if the resolver threw, took too long, or returned no valid secret. */
  async lookUp(headers: HookRequest['headers'], deadline: Deadline): Promise<Keyring> {
    if (this.fixed) return this.fixed
    try {
      const answer = Promise.resolve(this.#resolver?.(headers))
      const given = await deadline.race(answer, () => new Error('The secret resolver did not answer in time'))
      if (given === undefined || given === null) throw new Error('The secret resolver returned no secret')
      return keyringOf(given)
    } catch (cause) {
      throw new HookError('secret_unavailable', { cause })
    }
  }
}

function keyringOf(given: ResolvedSecret): Keyring {
  if (typeof given === 'object' && 'secret' in given) return { ...keyringOf(given.secret), id: given.id }
  const secrets: readonly Secret[] = Array.isArray(given) ? given : [given as Secret]
  if (secrets.length === 0) throw new TypeError('The list of secrets is empty')
  return { keys: secrets.map((secret) => new Key(secret)), id: undefined }
}

/** The secret that signed a delivery. */
export interface Signer {
  id: string | undefined
  index: number
}

const firstSigner: Signer = { id: undefined, index: 0 }

/** The verification of one request, from its signature header to the end of its body. */
export interface Verification {
  readonly request: HookRequest
  readonly signature: SignatureHeader
  /**
   * Computes the HMAC with the first secret while the body arrives. `undefined` if the platform has no `createHmac`, or
   * if a resolver returns the secrets.
   */
  readonly hmac: Hmac | undefined
  /** Set if the signature is wrong: finds a more exact reason, which only the operator may see. */
  explain: Explain | undefined
}

/** Verifies the signatures of a mount. */
export class Verifier {
  readonly #settings: Settings
  readonly #secrets: Secrets

  constructor(settings: Settings, secret: NonNullable<Settings['secret']>) {
    this.#settings = settings
    this.#secrets = new Secrets(secret)
  }

  /** `X-Hub-Signature-256` of a body, by the first secret. */
  async sign(headers: HookRequest['headers'], body: Uint8Array): Promise<string> {
    const deadline = new Deadline(this.#settings.replyTimeout)
    try {
      const { keys } = await this.#secrets.lookUp(headers, deadline)
      return formatSignature('sha256', await (keys[0] as Key).hmac('sha256', body))
    } finally {
      deadline.clear()
    }
  }

  /** Reads the signature header. @throws {HookError} `missing_signature`, `wrong_signature` */
  begin(request: HookRequest): Verification {
    const signature = readSignature(request, this.#settings.signatureAlgorithms)
    const key = this.#secrets.fixed?.keys[0]
    const hmac = key && request.createHmac?.(signature.algorithm, key.bytes)
    return { request, signature, hmac, explain: undefined }
  }

  /**
   * Finds the secret that signed a body. Returns a promise only if the HMAC was not computed while the body arrived, or
   * if the first secret did not sign the body.
   * @throws {HookError} `wrong_signature`, `secret_unavailable`
   */
  finish(verification: Verification, body: Uint8Array, deadline: Deadline): Signer | Promise<Signer> {
    const { signature, hmac } = verification
    if (hmac && equalDigests(hmac.digest(), signature.digest)) return firstSigner
    return this.#findSigner(verification, body, deadline)
  }

  async #findSigner(verification: Verification, body: Uint8Array, deadline: Deadline): Promise<Signer> {
    const { request, signature, hmac } = verification
    const { createHmac } = request
    // `request.headers` may be a copy of all headers, which takes longer than the HMAC. Fixed secrets do not need it.
    const { keys, id } = this.#secrets.fixed ?? (await this.#secrets.lookUp(request.headers, deadline))
    const index = await findSigner(keys, signature, body, createHmac, hmac ? 1 : 0) // `finish` has tried the first key
    if (index < 0) {
      const { headers } = request
      verification.explain = () => explainWrongSignature({ signature, body, headers, keys, createHmac })
      throw new HookError('wrong_signature')
    }
    return { id, index }
  }
}

import type { DeliveryHeaders } from '../delivery.ts'
import { HookError } from '../errors.ts'
import type { HashName, HookRequest } from '../http.ts'
import type { ResolvedSecret, Secret, SecretResolver } from '../options.ts'
import { Deadline } from '../runtime/deadline.ts'
import type { Settings } from '../settings.ts'
import { diagnostics } from '../telemetry/diagnostics.ts'
import type { TracingMessages } from '../telemetry/tracing.ts'
import { type ReceivedBody, readBody } from './body.ts'
import { explainWrongSignature } from './explain.ts'
import type { MemoryLimit, Reservation } from './memory-limit.ts'
import { contentLength, type PayloadForm, payloadForm, type RequiredHeaders, readHeaders } from './payload.ts'
import type { Explain } from './rejection-log.ts'
import { equalDigests, findSigner, formatSignature, Key, readSignature, type SignatureHeader } from './signature.ts'

/** One request on its way to the reply. */
export interface RequestContext {
  readonly request: HookRequest
  readonly receivedAt: Date
  /** The same moment, by `performance.now()`. */
  readonly startedAt: number
  readonly deadline: Deadline
  /** The message of the tracing channel, if it has a subscriber. */
  readonly operation: TracingMessages['receive'] | undefined
  /** The memory of the body, once it is reserved. */
  reservation: Reservation | undefined
  /** Set if the operator's log can have a more exact reason than the sender's reply. */
  explain: Explain | undefined
}

/** A delivery whose signature is right, or need not be. Its payload has not been parsed. */
export interface VerifiedDelivery extends DeliveryHeaders {
  body: ReceivedBody
  form: PayloadForm
  algorithm: HashName | undefined
}

/** The keys that may have signed a delivery, in the order in which they are tried. */
export interface Keyring {
  keys: readonly Key[]
  /** The `id` that the secret resolver returned. */
  id: string | undefined
}

/** The keyring of a mount: the same for all deliveries, or resolved for each. */
export class Secrets {
  /** Known before any request, so that the HMAC can be computed while the body arrives. */
  readonly fixed: Keyring | undefined
  readonly #resolver: SecretResolver | undefined

  constructor(option: Secret | readonly Secret[] | SecretResolver) {
    if (typeof option === 'function') this.#resolver = option
    else this.fixed = keyringOf(option)
  }

  /** @throws {HookError} `secret_unavailable` if the resolver threw, returned nothing, or took too long. */
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
interface Signer {
  id: string | undefined
  index: number
}

const firstSigner: Signer = { id: undefined, index: 0 }

/** Reads and verifies a request: signature header, body, signature, event and delivery headers. */
export class Verifier {
  readonly #settings: Settings
  readonly #secrets: Secrets | undefined
  readonly #memoryLimit: MemoryLimit

  constructor(settings: Settings, memoryLimit: MemoryLimit) {
    const { validateSignature, secret } = settings
    this.#settings = settings
    this.#secrets = validateSignature && secret !== undefined ? new Secrets(secret) : undefined
    this.#memoryLimit = memoryLimit
  }

  /** Whether a delivery needs a signature. */
  get checksSignatures(): boolean {
    return this.#secrets !== undefined
  }

  /** `X-Hub-Signature-256` of a body, by the first secret; `undefined` if signatures are not checked. */
  async sign(headers: HookRequest['headers'], body: Uint8Array): Promise<string | undefined> {
    if (!this.#secrets) return undefined
    const deadline = new Deadline(this.#settings.timeout)
    try {
      const { keys } = await this.#secrets.lookUp(headers, deadline)
      return formatSignature('sha256', await (keys[0] as Key).hmac('sha256', body))
    } finally {
      deadline.clear()
    }
  }

  /** @throws {HookError} */
  async verify(context: RequestContext): Promise<VerifiedDelivery> {
    const { headers, createHmac } = context.request
    if (!this.#secrets) {
      const required = readHeaders(headers) // before the body, since nothing in the body is needed to reject them
      return this.#accept(context, required, await this.#readBody(context), undefined, undefined)
    }
    const signature = readSignature(headers, this.#settings.signatureAlgorithms)
    const { algorithm } = signature
    // A fast path: where the platform can, the HMAC of the first secret is computed while the body arrives.
    const key = this.#secrets.fixed?.keys[0]
    const hmac = key && createHmac?.(algorithm, key.bytes)
    const body = await this.#readBody(context, hmac && ((chunk) => void hmac.update(chunk)))
    const signer =
      hmac && equalDigests(hmac.digest(), signature.digest)
        ? firstSigner
        : await this.#findSigner(this.#secrets, context, signature, body.bytes, hmac ? 1 : 0)
    return this.#accept(context, readHeaders(headers), body, algorithm, signer)
  }

  #accept(
    { request: { headers }, receivedAt }: RequestContext,
    { event, guid, form }: RequiredHeaders,
    body: ReceivedBody,
    algorithm: HashName | undefined,
    signer: Signer | undefined,
  ): VerifiedDelivery {
    const { source } = this.#settings
    const secretIndex = signer?.index
    if (diagnostics.received?.hasSubscribers) diagnostics.received.publish({ guid, event, source, secretIndex })
    return { event, guid, headers, receivedAt, source, secretId: signer?.id, secretIndex, body, form, algorithm }
  }

  #readBody(
    context: RequestContext,
    onChunk?: ((chunk: Uint8Array) => void) | undefined,
  ): Promise<ReceivedBody> | ReceivedBody {
    const { request, deadline } = context
    const { bodyLimit } = this.#settings
    const limit = payloadForm(request.headers) === 'form' ? 2 * bodyLimit : bodyLimit
    const expected = contentLength(request.headers)
    if (expected !== undefined && expected > limit) throw new HookError('payload_too_large')
    const body = request.body()
    const reservation = this.#memoryLimit.reserve(expected)
    context.reservation = reservation
    return readBody(body, { limit, expected, deadline, reservation }, onChunk)
  }

  /** @param from The first key to try; the fast path has tried those before it. */
  async #findSigner(
    secrets: Secrets,
    context: RequestContext,
    signature: SignatureHeader,
    body: Uint8Array,
    from: number,
  ): Promise<Signer> {
    const { headers, createHmac } = context.request
    const { keys, id } = await secrets.lookUp(headers, context.deadline)
    const index = await findSigner(keys, signature, body, createHmac, from)
    if (index < 0) {
      context.explain = () => explainWrongSignature({ signature, body, headers, keys, createHmac })
      throw new HookError('wrong_signature')
    }
    return { id, index }
  }
}

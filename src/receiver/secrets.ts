import { HookError } from '../errors.ts'
import type { CreateHmac, HookRequest } from '../http.ts'
import type { ResolvedSecret, Secret, SecretResolver } from '../options.ts'
import type { Deadline } from '../runtime/deadline.ts'
import { equalDigests, formatSignature, Key, type SignatureHeader } from './signature.ts'

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

/** `X-Hub-Signature-256` of a body, by the first key. */
export async function signWith({ keys }: Keyring, body: Uint8Array): Promise<string> {
  return formatSignature('sha256', await (keys[0] as Key).hmac('sha256', body))
}

function keyringOf(given: ResolvedSecret): Keyring {
  if (typeof given === 'object' && 'secret' in given) return { ...keyringOf(given.secret), id: given.id }
  const secrets: readonly Secret[] = Array.isArray(given) ? given : [given as Secret]
  if (secrets.length === 0) throw new TypeError('The list of secrets is empty')
  return { keys: secrets.map((secret) => new Key(secret)), id: undefined }
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

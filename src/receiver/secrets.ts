import { HookError } from '../errors.ts'
import type { CreateHmac } from '../http.ts'
import type { ResolvedSecret, Secret, SecretResolver } from '../options.ts'
import type { Deadline } from '../runtime/deadline.ts'
import { type Claim, equalDigests, formatSignature, Key } from './signature.ts'

/** The keys that may have signed a delivery, in the order in which they are tried. */
export interface Keyring {
  keys: readonly Key[]
  /** What a resolver called it. */
  id: string | undefined
}

/** The keyrings of a mount: one for all deliveries, or one looked up for each. */
export class Secrets {
  /** Known before any request: these allow the HMAC to be fed while the body arrives. */
  readonly fixed: Keyring | undefined
  readonly #resolver: SecretResolver | undefined

  constructor(option: Secret | readonly Secret[] | SecretResolver) {
    if (typeof option === 'function') this.#resolver = option
    else this.fixed = keyringOf(option)
  }

  /** @throws {HookError} `secret_unavailable` if the resolver threw, gave none, or took too long. */
  async lookUp(headers: Readonly<Record<string, string | undefined>>, deadline: Deadline): Promise<Keyring> {
    if (this.fixed) return this.fixed
    try {
      const answer = Promise.resolve(this.#resolver?.(headers))
      const given = await deadline.race(answer, () => new Error('The secret resolver did not answer in time'))
      if (given === undefined || given === null) throw new Error('The secret resolver gave no secret')
      return keyringOf(given)
    } catch (cause) {
      throw new HookError('secret_unavailable', { cause })
    }
  }
}

/** `X-Hub-Signature-256` of a body, by the first of the keys. */
export async function signWith({ keys }: Keyring, body: Uint8Array): Promise<string> {
  return formatSignature('sha256', await (keys[0] as Key).hmac('sha256', body))
}

function keyringOf(given: ResolvedSecret): Keyring {
  if (typeof given === 'object' && 'secret' in given) return { ...keyringOf(given.secret), id: given.id }
  const secrets: readonly Secret[] = Array.isArray(given) ? given : [given as Secret]
  if (secrets.length === 0) throw new TypeError('The list of secrets is empty')
  return { keys: secrets.map((secret) => new Key(secret)), id: undefined }
}

/** The index of the key that signed `body`; -1 if none did. Those before `from` have been tried. */
export async function findSigner(
  keys: readonly Key[],
  claim: Claim,
  body: Uint8Array,
  createHmac?: CreateHmac,
  from: number = 0,
): Promise<number> {
  for (const [index, key] of keys.entries()) {
    if (index >= from && equalDigests(await key.hmac(claim.algorithm, body, createHmac), claim.digest)) return index
  }
  return -1
}

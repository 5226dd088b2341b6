import type { CreateHmac, HookRequest } from '../http.ts'
import { formField } from './payload.ts'
import { findSigner, Key, parseSignature, type SignatureHeader } from './signature.ts'

/** A delivery whose signature is wrong. */
export interface UnverifiedDelivery {
  signature: SignatureHeader
  body: Uint8Array
  headers: HookRequest['headers']
  keys: readonly Key[]
  createHmac: CreateHmac | undefined
}

/** Bytes. Larger bodies are not examined. */
const maxBody = 1024 * 1024

/**
 * Why a signature is wrong, for the operator's log. The sender never sees it, because an attacker could learn from it
 * how close a guess is. This function changes the body or the secrets in likely ways, one at a time. If the signature
 * matches after a change, this change tells the reason. The function also checks `X-Hub-Signature`. If that signature
 * matches although `X-Hub-Signature-256` does not, the reason is that the sender used a different secret for each.
 * @returns `undefined` if the body is too large to be examined.
 */
export async function explainWrongSignature(delivery: UnverifiedDelivery): Promise<string | undefined> {
  const { signature, body, headers, keys, createHmac } = delivery
  if (body.length > maxBody) return undefined
  if (body.length === 0) return 'the body is empty: something in front of hookserver consumed it'

  for (const [reason, candidate] of likelyBodies(new TextDecoder().decode(body))) {
    const index = await findSigner(keys, signature, new TextEncoder().encode(candidate), createHmac)
    if (index >= 0) return reason
  }
  if ((await findSigner(keys.flatMap(trimmed), signature, body, createHmac)) >= 0) {
    return 'the configured secret begins or ends with white space that the one on GitHub does not have'
  }
  if ((await findSigner(keys.flatMap(unquoted), signature, body, createHmac)) >= 0) {
    return 'the configured secret is in quotes that the one on GitHub does not have'
  }
  const sha1 = signature.algorithm === 'sha256' ? parseSignature(headers['x-hub-signature'] ?? '') : undefined
  if (sha1 && (await findSigner(keys, sha1, body, createHmac)) >= 0) {
    return 'X-Hub-Signature matches and X-Hub-Signature-256 does not: the sender used a different secret for each'
  }
  return 'the signature matches none of the configured secrets: compare them with the secret on GitHub'
}

/**
 * The bodies that the sender may have signed, given the body that arrived. Each has the reason why it differs from the
 * body that arrived.
 */
function* likelyBodies(text: string): Generator<[reason: string, body: string]> {
  yield ['the signature is that of an empty body: the sender lost the payload before signing', '']
  const form = attempt(() => formField(text))
  if (form !== undefined) {
    yield [
      'the signature is that of the JSON inside the form: something in front of hookserver turned JSON into a form',
      form,
    ]
  }
  const compact = attempt(() => JSON.stringify(JSON.parse(text)))
  if (compact === undefined) return
  const reserialized = 'something in front of hookserver re-serialized the body: pass on the original bytes'
  yield [reserialized, compact]
  yield [reserialized, escapeBeyondAscii(compact)]
  const encoded = new URLSearchParams({ payload: text })
  yield [
    'the signature is that of a form: something in front of hookserver turned the form into JSON',
    encoded.toString(),
  ]
}

function escapeBeyondAscii(json: string): string {
  return json.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function trimmed({ bytes }: Key): Key[] {
  const text = new TextDecoder().decode(bytes).trim()
  return text === '' ? [] : [new Key(text)]
}

/** `docker run --env-file` keeps the quotes around a value, which Node.js and shells remove. */
function unquoted({ bytes }: Key): Key[] {
  const [, , text] = /^(["'`])(.+)\1$/s.exec(new TextDecoder().decode(bytes)) ?? []
  return text?.trim() ? [new Key(text)] : []
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch {
    return undefined
  }
}

/**
 * Proves which secret GitHub signs with. GitHub never shows the secret, but its log shows the signature and the payload
 * of each delivery.
 *
 * - A signature that one of our secrets reproduces is a proof: only the owner of the secret can compute it.
 * - A delivery without a signature is a proof that the webhook has no secret.
 * - A signature that we cannot reproduce proves nothing: the log shows the parsed payload, and GitHub may have
 *   serialized it in another way than we do. But if the receiver rejected this signature, GitHub and the receiver use
 *   different secrets.
 * - An answer with 2xx proves nothing about the secret: the receiver may not check signatures.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Exchange, LoggedAttempt } from '../delivery-log.ts'

export interface SecretProof {
  /** `unknown`: signed, but not with a signature that we can reproduce. */
  signedWith: 'our secret' | 'no secret' | 'unknown'
  /** The index of the secret in the list of our secrets. `undefined` if `signedWith` is not `our secret`. */
  index: number | undefined
  receiver: ReceiverVerdict
  /** The delivery that was examined. */
  delivery: LoggedAttempt
}

/**
 * The answer of the receiver. `wrong_signature` and `missing_signature` are hookserver's errors. `failed` is any other
 * answer without 2xx, or no answer.
 */
type ReceiverVerdict = 'accepted' | 'wrong_signature' | 'missing_signature' | 'failed'

export function secretProof(delivery: LoggedAttempt, exchange: Exchange, secrets: readonly string[]): SecretProof {
  const receiver = verdictOf(delivery, exchange)
  const signature = headerOf(exchange.request.headers, 'x-hub-signature-256')
  if (signature === undefined) return { signedWith: 'no secret', index: undefined, receiver, delivery }
  const bodies = possibleBodies(exchange.request)
  const index = secrets.findIndex((secret) => bodies.some((body) => isSignature(signature, secret, body)))
  return index < 0
    ? { signedWith: 'unknown', index: undefined, receiver, delivery }
    : { signedWith: 'our secret', index, receiver, delivery }
}

/** Recognizes hookserver's errors. Adapters send the message of an error as text, or a JSON object with its code. */
function verdictOf({ ok, statusCode }: LoggedAttempt, { response }: Exchange): ReceiverVerdict {
  if (ok) return 'accepted'
  if (statusCode !== 400) return 'failed'
  if (/wrong[ _]signature/i.test(response.payload)) return 'wrong_signature'
  return /missing[ _]signature/i.test(response.payload) ? 'missing_signature' : 'failed'
}

/** The bodies that GitHub may have sent: the JSON as its API shows it, the same without white space, or a form with one. */
function possibleBodies({ headers, payload }: Exchange['request']): string[] {
  const json = JSON.stringify(JSON.parse(payload)) // without white space
  // GitHub writes the digits of `\u001B` in upper case, JavaScript in lower case. Source: `verify` of @octokit/webhooks.
  const upperCase = json.replace(/(?<!\\)((?:\\\\)*)\\u([\da-f]{4})/g, (_, before, digits: string) => {
    return `${before}\\u${digits.toUpperCase()}`
  })
  const bodies = [...new Set([payload, json, upperCase])]
  const isForm = headerOf(headers, 'content-type')?.startsWith('application/x-www-form-urlencoded')
  return isForm ? bodies.map((body) => new URLSearchParams({ payload: body }).toString()) : bodies
}

function isSignature(signature: string, secret: string, body: string): boolean {
  const expected = Buffer.from(`sha256=${createHmac('sha256', secret).update(body).digest('hex')}`)
  const given = Buffer.from(signature)
  return given.length === expected.length && timingSafeEqual(given, expected)
}

/** Finds a header by its lower-case name. In GitHub's delivery log, the names have capitals. */
function headerOf(headers: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.entries(headers).find(([one]) => one.toLowerCase() === name)?.[1]
}

import { type Finding, failed, fine, warning } from '../../runtime/finding.ts'
import { formatAge } from '../../runtime/format.ts'
import type { Target } from '../target.ts'
import type { SecretProof } from './secret-proof.ts'

/** The secrets that the server accepts. GitHub should sign with one of them. */
export interface OwnSecrets {
  values: readonly string[]
  /** For messages: the file, the variable or the module. */
  source: string
  /** The path of the file. `undefined` if the secrets come from a variable or the module. */
  file: string | undefined
}

interface ProofContext {
  secrets: OwnSecrets
  /** The fix if the secret is not proved. */
  repair: string
  /** Why no delivery proves the secret. */
  withoutProof: string
  now: number
}

/** Why no ping proves the secret. */
export const reasonWithoutPing = (target: Target): string =>
  target === 'app'
    ? 'hookserver cannot request a new ping for an App, and the log shows no redelivery of an earlier ping'
    : 'the log shows no new ping yet'

/** The findings from one delivery: about the secret, and about the answer of the receiver. */
export function proofFindings(proof: SecretProof | undefined, context: ProofContext): Finding[] {
  if (!proof) return [warning('secret', `not proved: ${context.withoutProof}`, context.repair)]
  return [secretFinding(proof, context), ...receiverFindings(proof, context)]
}

function secretFinding({ signedWith, index, receiver, delivery }: SecretProof, context: ProofContext): Finding {
  const what = 'secret'
  const { secrets, repair, now } = context
  const name = `the ${delivery.event} of ${formatAge(delivery.deliveredAt, now)} ago`
  if (signedWith === 'our secret') {
    const line = secrets.values.length > 1 ? `, line ${(index ?? 0) + 1}` : ''
    return fine(what, `proved: GitHub signed ${name} with it (${secrets.source}${line})`)
  }
  if (signedWith === 'no secret') return failed(what, `none: GitHub did not sign ${name}`, repair)
  const mismatch = `the signature of ${name} does not match ${secrets.source}`
  if (receiver === 'wrong_signature') {
    return failed(what, `GitHub signs with another secret: ${mismatch}, and the receiver rejects it`, repair)
  }
  const said = receiver === 'accepted' ? ', but the receiver accepted the delivery' : ''
  return warning(what, `not proved: ${mismatch}${said}`, repair)
}

function receiverFindings({ signedWith, receiver, delivery }: SecretProof, { secrets }: ProofContext): Finding[] {
  const what = 'receiver'
  const { event, status } = delivery
  if (receiver === 'accepted') return [fine(what, `accepted the ${event}`)]
  if (receiver === 'failed') {
    return [warning(what, `the ${event} failed: ${status}`, cureFor(status))]
  }
  if (signedWith !== 'our secret') return [] // the finding about the secret explains the rejection
  const found = `rejected the ${event} (${receiver}), although GitHub signed it with ${secrets.source}`
  return [failed(what, found, `start the server with the secret of ${secrets.source}`)]
}

/** @param status The status of a delivery in GitHub's log, such as `Invalid HTTP Response: 403`. */
function cureFor(status: string): string {
  if (status.endsWith(' 403')) {
    return 'the server rejects the sender: behind a proxy, start it with --trust-proxy, else read its log'
  }
  if (status.endsWith(' 404'))
    return 'correct the path: the server receives at /hooks, unless "serve --path" names another one'
  return 'start the server, and check its address and its log'
}

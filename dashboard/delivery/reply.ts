import { operatorSource } from '../../src/inbox/records.ts'
import type { DeliveryDetail } from '../../src/server/api/schemas/responses.ts'

/** The reply to a delivery, as far as the inbox knows it. */
export interface Reply {
  /** The status and the text, or why there is none. */
  text: string
  /** Milliseconds since 1970; `undefined` if no reply was recorded. */
  at: number | undefined
}

/**
 * The inbox stores no status. After a commit the receiver replies with this, or with 503 if the commit took too long.
 */
const accepted = '202 Accepted'

/** Later copies are counted together, and the inbox does not store which of them made the handlers run again. */
export const replyToCopies = '200 Duplicate, or 202 Accepted if the copy made the handlers run again'

export function replyTo({ pulled, source, ackedAt }: DeliveryDetail): Reply {
  if (pulled) return { text: 'none: hookserver fetched this delivery from GitHub’s API', at: undefined }
  if (source === operatorSource) return { text: 'none: an operator created this delivery', at: undefined }
  return { text: ackedAt === undefined ? 'not recorded' : accepted, at: ackedAt }
}

import { operatorSource } from '../../src/inbox/records.ts'
import type { DeliveryDetail } from '../../src/server/api/schemas/responses.ts'

/** The reply to a delivery, as far as the inbox knows it. */
export type Reply =
  | {
      /** The status and the text. */
      text: string
      /** Milliseconds since 1970; `undefined` if the time was not recorded. */
      at: number | undefined
    }
  | { none: string }

/** The inbox stores no status: the receiver replies this, and only this, to a request whose delivery is stored. */
const accepted = '202 Accepted'

/** Later copies are counted together, and the inbox does not store which of them made the handlers run again. */
export const replyToCopies = '200 Duplicate, or 202 Accepted if the copy made the handlers run again'

export function replyTo({ recovered, source, ackedAt }: DeliveryDetail): Reply {
  if (recovered) return { none: 'hookserver fetched this delivery from GitHub’s API' }
  if (source === operatorSource) return { none: 'an operator created this delivery' }
  return { text: accepted, at: ackedAt }
}

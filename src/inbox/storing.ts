import type { Deadline } from '../deadline.ts'
import { diagnostics } from '../diagnostics.ts'
import { HookError } from '../errors.ts'
import type { Inbox, Parcel, Receipt } from './inbox.ts'

/**
 * Has a delivery stored, in the time that is left for its answer.
 * @throws {HookError} `inbox_unavailable`. It may be stored all the same by then; another copy is a duplicate.
 */
export async function storeParcel(inbox: Inbox, parcel: Parcel, deadline: Deadline): Promise<Receipt> {
  try {
    const receipt = await deadline.race(inbox.store(parcel), () => new Error('The inbox did not commit in time'))
    publish(receipt, parcel)
    return receipt
  } catch (cause) {
    throw new HookError('inbox_unavailable', { cause })
  }
}

function publish({ id, outcome, conflict }: Receipt, { guid, event, source }: Parcel): void {
  const { stored, duplicate } = diagnostics
  if (outcome === 'duplicate') {
    if (duplicate?.hasSubscribers) duplicate.publish({ id, guid, event, source })
  } else if (stored?.hasSubscribers) {
    stored.publish({ id, guid, event, source, rearmed: outcome === 'rearmed', conflict })
  }
}

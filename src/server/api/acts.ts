import type { Inbox } from '../../inbox/inbox.ts'
import type { Selection } from '../../inbox/query/query.ts'
import type { DeliveryState } from '../../inbox/records.ts'

/** What an operator can do to deliveries. */
export interface Act {
  name: 'retry' | 'discard'
  /** What it does to one, and to several. */
  summary: string
  summaryOfMany: string
  /** The states of the deliveries that it changes. */
  concerns: readonly DeliveryState[]
  /** Why it does not change one that it was asked to. */
  otherwise: string
  /** What a request's body may say beside which deliveries. */
  members: readonly string[]
  apply(inbox: Inbox, selection: Selection, reason: string | undefined): Promise<number>
}

export const acts: readonly Act[] = [
  {
    name: 'retry',
    summary: 'Have a delivery handled again: by every handler if it is done, else by those that have not succeeded',
    summaryOfMany: 'Have deliveries handled again',
    concerns: ['retrying', 'dead', 'discarded', 'done', 'ignored'],
    otherwise: 'none of its handlers has failed, and those that have not begun will',
    members: [],
    apply: (inbox, selection) => inbox.retry(selection),
  },
  {
    name: 'discard',
    summary: 'End a delivery that has not ended, or that is dead',
    summaryOfMany: 'End deliveries that have not ended, and those that are dead',
    concerns: ['pending', 'running', 'retrying', 'dead'],
    otherwise: 'it has ended',
    members: ['reason'],
    apply: (inbox, selection, reason = 'Discarded by an operator') => inbox.discard(selection, reason),
  },
]

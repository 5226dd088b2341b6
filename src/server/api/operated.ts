import type { Hooks } from '../../hooks.ts'
import type { Inbox } from '../../inbox/inbox.ts'

/** What the API shows and steers. */
export interface Operated {
  inbox: Inbox
  hooks: Hooks
}

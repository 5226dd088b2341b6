import type { Inbox } from '../inbox/inbox.ts'

/**
 * What an operator sees and does. An inbox on this machine can do all of it as it is, and `remote.ts` has a server far
 * away do it: no command needs to know which of them it works on.
 */
export type Operator = Pick<
  Inbox,
  'list' | 'get' | 'body' | 'retry' | 'discard' | 'pause' | 'resume' | 'overview' | 'processes' | 'close'
>

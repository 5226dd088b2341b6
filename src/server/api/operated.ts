import type { Context } from 'hono'
import type { Recovery } from '../../github/recovery.ts'
import type { Hooks } from '../../hooks.ts'
import type { Receiver } from '../../http.ts'
import type { Inbox } from '../../inbox/inbox.ts'
import type { FullLogger } from '../../telemetry/logger.ts'
import { clientAddress } from '../client-address.ts'

/** What the API shows and steers. */
export interface Operated {
  inbox: Inbox
  hooks: Hooks
  logger: FullLogger
  /** Takes in what an operator sends, from whatever address. */
  desk: Receiver
  /** What takes deliveries in; a worker has none. */
  receiver?: Pick<Receiver, 'ready' | 'status'> | undefined
  /** Where it does so, as this machine sees it, once it listens. */
  receivesAt?: (() => string | undefined) | undefined
  /** Fetches what did not come in, where that is wanted. */
  recovery?: Recovery | undefined
  /** What this process does. */
  role?: 'all' | 'receiver' | 'worker' | undefined
}

/** Leaves in the log who did what. */
export function audit(
  { logger }: Operated,
  context: Context,
  done: { act: string; what: unknown; count?: number; reason?: string | undefined },
): void {
  logger.info({ ...done, address: clientAddress(context) }, `An operator did this: ${done.act}`)
}

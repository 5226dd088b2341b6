import type { Context } from 'hono'
import type { Recovery } from '../../github/recovery/recovery.ts'
import type { Hooks } from '../../hooks.ts'
import type { Receiver } from '../../http.ts'
import type { Inbox } from '../../inbox/inbox.ts'
import type { FullLogger } from '../../telemetry/logger.ts'
import { clientAddress } from '../listener.ts'

/** The objects that the routes of the API use. */
export interface ApiContext {
  inbox: Inbox
  hooks: Hooks
  logger: FullLogger
  /** Stores the deliveries that an operator creates. It accepts every address. */
  localReceiver: Receiver
  /** Receives GitHub's deliveries. A worker has none. */
  receiver?: Pick<Receiver, 'ready' | 'status'> | undefined
  /** The URL at which this machine reaches the receiver, once it listens. */
  receivesAt?: (() => string | undefined) | undefined
  /** Fetches missed deliveries, if `--recover` is set. */
  recovery?: Recovery | undefined
  /** The role of this process. */
  role?: 'all' | 'receiver' | 'worker' | undefined
}

/** Logs an operator's action. */
export function audit(
  { logger }: Pick<ApiContext, 'logger'>,
  context: Context,
  action: { act: string; what: unknown; count?: number; reason?: string | undefined },
): void {
  logger.info({ ...action, address: clientAddress(context) }, `An operator did this: ${action.act}`)
}

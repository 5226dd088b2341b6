import type { Registration } from '../handler.ts'
import type { Inbox } from '../inbox/inbox.ts'
import type { Settings } from '../settings.ts'
import { keptAt } from './delivery-log.ts'
import { Recovery } from './recovery.ts'
import { SweepClients } from './sweep-clients.ts'
import type { RecoveryOptions } from './sweeper.ts'

/** What is wanted of a recovery. */
export interface RecoveryWishes extends Omit<RecoveryOptions, 'kept'> {
  /** The events that count. `undefined`: those that somebody handles. */
  events: readonly string[] | undefined
}

/** A recovery of what comes in with these settings, and is handled by whoever is registered. */
export function makeRecovery(
  settings: Settings & { inbox: Inbox },
  registrations: readonly Registration[],
  { events, ...wishes }: RecoveryWishes,
): Recovery {
  const { inbox, source, logger, apiUrl, capture } = settings
  const clients = new SweepClients(settings)
  const names = new Set(events ?? (capture ? ['*'] : registrations.flatMap((one) => one.events)))
  const isHandled = (event: string, action: string | undefined) =>
    names.has('*') || names.has(event) || names.has(`${event}.${action}`)
  const kept = keptAt(apiUrl)
  return new Recovery({ inbox, source, connect: clients.connect.bind(clients), isHandled, logger }, { ...wishes, kept })
}

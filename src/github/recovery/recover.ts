import type { Registration } from '../../handler.ts'
import type { Inbox } from '../../inbox/inbox.ts'
import type { HooksOptions } from '../../options.ts'
import { resolveOptions, type Settings } from '../../settings.ts'
import { deliveryRetention } from '../delivery-log.ts'
import { GitHubClient } from '../github-client.ts'
import { missingCredentials } from '../target.ts'
import {
  checkRecoverOptions,
  parseTargets,
  type RecoverOnceOptions,
  type StartRecoveryOptions,
  type SweepOptions,
} from './options.ts'
import { Recovery } from './recovery.ts'
import type { Swept } from './sweeper.ts'

/** The part of `Hooks` that recovery uses. */
export interface RecoverableHooks {
  readonly options: HooksOptions
  readonly registrations: readonly Registration[]
}

/** A recovery that sweeps again and again. Its timers do not keep the process alive. */
export interface RunningRecovery {
  /** Runs a sweep now. @returns `undefined` if one is already running, in this process or another. */
  sweep(options?: SweepOptions): Promise<Swept | undefined>
  /** Ends the current sweep and starts no more. Call it before the inbox is closed. */
  stop(): Promise<void>
}

/**
 * Runs one recovery sweep: requests missed deliveries from GitHub.
 * @returns A report for each webhook, with an `error` if its sweep failed, and the missed deliveries.
 * @throws {TypeError} naming the option that is missing or has a wrong value.
 * @throws {Error} if a sweep is already running.
 */
export async function recover(hooks: RecoverableHooks, options: RecoverOnceOptions): Promise<Swept> {
  const recovery = recoveryFor(hooks, options)
  const { dryRun = false, thorough = false, signal } = options
  const stop = () => void recovery.stop()
  if (signal?.aborted) stop()
  signal?.addEventListener('abort', stop)
  try {
    const swept = await recovery.sweep({ dryRun, thorough })
    if (swept) return swept
    throw new Error('A recovery sweep is already running for this inbox')
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}

/**
 * Runs recovery sweeps at an interval until it is stopped. Of several processes with one inbox, one sweeps at a time.
 * @throws {TypeError} naming the option that is missing or has a wrong value.
 */
export function startRecovery(hooks: RecoverableHooks, options: StartRecoveryOptions): RunningRecovery {
  const recovery = recoveryFor(hooks, options)
  recovery.start()
  return recovery
}

function recoveryFor(
  { options: given, registrations }: RecoverableHooks,
  options: RecoverOnceOptions & StartRecoveryOptions,
): Recovery {
  checkRecoverOptions(options)
  const settings = resolveOptions(given, { inbox: options.inbox, source: options.source })
  const { inbox } = settings
  const missing = missingCredentials(parseTargets(options.targets), settings)
  if (!inbox) throw new TypeError('Option "inbox" is missing: recovery compares it with GitHub\'s log')
  if (missing !== undefined) throw new TypeError(missing)
  return createRecovery({ ...settings, inbox }, registrations, options)
}

/** A recovery for these settings; its events are those of the registrations, unless `options` names others. */
export function createRecovery(
  settings: Settings & { inbox: Inbox },
  registrations: readonly Registration[],
  { targets, events, ...options }: StartRecoveryOptions,
): Recovery {
  const { inbox, source, logger, apiUrl, capture } = settings
  const client = new GitHubClient(settings)
  const names = new Set(events ?? (capture ? ['*'] : registrations.flatMap((one) => one.events)))
  return new Recovery({
    ...{ inbox, source, logger, targets: parseTargets(targets), retention: deliveryRetention(apiUrl) },
    ...{ url: options.url, lookback: options.lookback, includeOk: options.includeOk ?? false },
    ...{ mode: options.mode ?? 'redeliver', pace: options.pace ?? 1000, every: options.every ?? 300_000 },
    connect: (target) => client.requesterFor(target),
    isHandled: (event, action) => names.has('*') || names.has(event) || names.has(`${event}.${action}`),
  })
}

/**
 * `hookserver/github`: recovers deliveries that GitHub sent and the inbox did not receive.
 *
 * ```ts
 * const { reports, missedDeliveries } = await recover(hooks, { targets: 'acme/shop#7' })
 * ```
 *
 * The package `octokit` is loaded at the first request to GitHub.
 */
import type { Registration } from '../handler.ts'
import { requireCapabilities } from '../inbox/capabilities.ts'
import { optionsOf } from '../internals.ts'
import { resolveOptions } from '../settings.ts'
import {
  checkRecoverOptions,
  parseTargets,
  type RecoverOnceOptions,
  recoveryCapabilities,
  type StartRecoveryOptions,
  type SweepOptions,
} from './recovery/options.ts'
import { createRecovery, type Recovery } from './recovery/recovery.ts'
import type { Swept } from './recovery/sweeper.ts'
import { missingCredentials } from './target.ts'

export type { MissedDelivery, MissedDeliveryCounts, MissedDeliveryState } from '../inbox/missed-deliveries.ts'
export type { RecoverOnceOptions, RecoverOptions, StartRecoveryOptions, SweepOptions } from './recovery/options.ts'
export type { SweepReport, Swept } from './recovery/sweeper.ts'

/** The part of `Hooks` that recovery uses, besides its options. */
export interface RecoverableHooks {
  /** The handlers. Their events are those that recovery covers by default. */
  readonly registrations: readonly Registration[]
}

/** A recovery that sweeps at an interval. Its timers do not keep the process alive. */
export interface RunningRecovery {
  /**
   * Runs a sweep now.
   * @returns `undefined` if another sweep holds the lease, in this process or another. A dry run takes no lease, so it
   * always runs.
   */
  sweep(options?: SweepOptions): Promise<Swept | undefined>
  /** Ends the current sweep and starts no more. Call it before the inbox is closed. */
  stop(): Promise<void>
}

/**
 * Runs one recovery sweep: finds missed deliveries and, unless `dryRun` is set, recovers them.
 * @returns The missed deliveries, and a report for each webhook, or for a target whose webhooks could not be found. A
 * report has an `error` if GitHub or the inbox failed at least once.
 * @throws {TypeError} naming the option that is missing or has a wrong value.
 * @throws {Error} if another sweep is already running, unless `dryRun` is set.
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
 * Runs a recovery sweep now, and further sweeps at an interval, until you call `stop` of the returned recovery. Of
 * several processes with one inbox, one sweeps at a time.
 * @throws {TypeError} naming the option that is missing or has a wrong value.
 */
export function startRecovery(hooks: RecoverableHooks, options: StartRecoveryOptions): RunningRecovery {
  const recovery = recoveryFor(hooks, options)
  recovery.start()
  return recovery
}

function recoveryFor(hooks: RecoverableHooks, options: RecoverOnceOptions & StartRecoveryOptions): Recovery {
  checkRecoverOptions(options)
  const settings = resolveOptions(optionsOf(hooks), { inbox: options.inbox, source: options.source })
  const { inbox } = settings
  const missing = missingCredentials(parseTargets(options.targets), settings)
  if (!inbox) throw new TypeError('Option "inbox" is missing: recovery compares it with GitHub\'s log')
  const store = requireCapabilities(inbox, recoveryCapabilities, 'Recovery')
  if (missing !== undefined) throw new TypeError(missing)
  return createRecovery({ ...settings, inbox: store }, hooks.registrations, options)
}

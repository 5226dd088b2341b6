import type { Registration } from '../handler.ts'
import type { HooksOptions } from '../options.ts'
import { resolveOptions } from '../settings.ts'
import { makeRecovery } from './make-recovery.ts'
import { missingIdentity } from './missing-identity.ts'
import { type RecoverOnceOptions, readRecoverOptions, type StartRecoveryOptions } from './recover-options.ts'
import type { Recovery } from './recovery.ts'
import type { SweepOptions, Swept } from './sweeper.ts'

/** What is used of a `Hooks`. */
export interface RecoverableHooks {
  readonly options: HooksOptions
  readonly registrations: readonly Registration[]
}

/** A recovery that goes on by itself. No timer of it keeps the process alive. */
export interface RunningRecovery {
  /** Makes a sweep now. @returns `undefined` if one is under way, here or in another process. */
  sweep(options?: SweepOptions): Promise<Swept | undefined>
  /** Lets go of what is under way, and makes no more. To be called before the inbox is closed. */
  stop(): Promise<void>
}

/**
 * Looks once for what GitHub sent and did not come in, and fetches it.
 * @returns What came of it. What kept GitHub from being asked to the end is in the `error` of a report.
 * @throws {TypeError} naming the option that does not fit, or is missing.
 * @throws {Error} if another process is at it.
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
 * Looks for it now, and from time to time, until it is stopped. Of several processes with one inbox one does it.
 * @throws {TypeError} naming the option that does not fit, or is missing.
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
  const wishes = readRecoverOptions(options)
  const settings = resolveOptions(given, { inbox: options.inbox, source: options.source })
  const { inbox } = settings
  if (!inbox) throw new TypeError('Option "inbox" is missing, with which is compared what GitHub sent')
  const missing = missingIdentity(wishes.targets, settings)
  if (missing !== undefined) throw new TypeError(missing)
  return makeRecovery({ ...settings, inbox }, registrations, wishes)
}

import { makeRecovery } from '../github/make-recovery.ts'
import type { Recovery } from '../github/recovery.ts'
import { Hooks } from '../hooks.ts'
import { resolveOptions } from '../settings.ts'
import { checkIdentity, type ReaderParts } from './github-clients.ts'

/** The parts of a recovery. */
export interface Recovered extends Omit<ReaderParts, 'hooks'> {
  /** `undefined` where there is no module: every event counts then. */
  hooks: Hooks | undefined
}

/**
 * Recovers missed deliveries, if `--recover` is set.
 * @throws {ConfigError} if no credentials for GitHub are configured.
 */
export function recoveryOf({ config, hooks, mounting, inbox }: Recovered): Recovery | undefined {
  const { value: targets } = config.recover
  if (targets === undefined) return undefined
  const { options, registrations } = hooks ?? new Hooks({ validateSignature: false, capture: true })
  const settings = resolveOptions(options, mounting)
  checkIdentity(config.recover, settings)
  return makeRecovery({ ...settings, inbox }, registrations, {
    targets,
    url: config.recoverUrl.value,
    every: config.recoverEvery.value,
    lookback: config.recoverLookback.value,
    mode: config.recoverMode.value,
    events: config.recoverEvents.value,
    includeOk: config.recoverIncludeOk.value,
    pace: config.recoverPace.value,
  })
}

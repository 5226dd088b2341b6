/**
 * `hookserver/github`: recovers deliveries that GitHub sent and the inbox did not receive.
 *
 * ```ts
 * const { reports, missedDeliveries } = await recover(hooks, { targets: 'acme/shop#7' })
 * ```
 *
 * The package `octokit` is loaded at the first request to GitHub.
 */
export type { MissedDelivery, MissedDeliveryCounts, MissedDeliveryState } from '../inbox/missed-deliveries.ts'
export type { RecoverOnceOptions, RecoverOptions, StartRecoveryOptions, SweepOptions } from './recovery/options.ts'
export { type RecoverableHooks, type RunningRecovery, recover, startRecovery } from './recovery/recover.ts'
export type { SweepReport, Swept } from './recovery/sweeper.ts'

/**
 * `hookserver/github`: fetches what GitHub sent and did not come in.
 *
 * ```ts
 * const { reports, missedDeliveries } = await recover(hooks, { targets: 'acme/shop#7' })
 * ```
 *
 * The package `octokit` is loaded when GitHub is asked, and not before.
 */
export type { MissedDelivery, MissedDeliveryState } from '../inbox/missed-deliveries.ts'
export { type RecoverableHooks, type RunningRecovery, recover, startRecovery } from './recover.ts'
export type { RecoverOnceOptions, RecoverOptions, StartRecoveryOptions } from './recover-options.ts'
export type { SweepOptions, SweepReport, Swept } from './sweeper.ts'

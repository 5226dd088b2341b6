/** `hookserver/github`: fetches what GitHub sent and did not come in. The package `octokit` is loaded when it is asked. */
export type { Gap, GapState } from '../inbox/gaps.ts'
export { type RecoverableHooks, type RunningRecovery, recover, startRecovery } from './recover.ts'
export type { RecoverOnceOptions, RecoverOptions, StartRecoveryOptions } from './recover-options.ts'
export type { SweepOptions, SweepReport, Swept } from './sweeper.ts'

import { assertNodeVersion } from '../runtime/node-version.ts'

export type { PermissionLevel, Permissions } from '../github/event-permissions.ts'
export { type Sample, type SamplePayload, sample, samples } from '../samples/index.ts'
export {
  type PartialPayload,
  type SignedRequestOptions,
  signedRequest,
  type TestRequest,
} from '../samples/signed-request.ts'
export {
  type AdapterContract,
  adapterContract,
  type ContractCase,
  type ContractHost,
  type ContractMount,
} from './contract/index.ts'
export type { LocalTokenOptions } from './github/auth/tokens.ts'
export type { Clock } from './github/clock.ts'
export type { Remaining } from './github/http/limits.ts'
export type {
  LocalRouteCall,
  LocalRouteOptions,
  LocalRouteReply,
} from './github/http/own-route.ts'
export type { LocalRouteMethod } from './github/http/route.ts'
export { LocalGitHub } from './github/local-github.ts'
export type {
  EntryOverride,
  Failure,
  LocalGitHubLimits,
  LocalGitHubOptions,
  LocalGitHubRequest,
} from './github/options.ts'
export type { DeliverOptions } from './github/sending/deliver.ts'
export type { StatusTexts } from './github/sending/outcome.ts'
export type { PastDelivery } from './github/sending/record.ts'
export type { LocalRepositoryOptions } from './github/world/add-repository.ts'
export type {
  Installation as LocalInstallation,
  LocalApp,
  LocalAppOptions,
  LocalInstallationOptions,
  LocalInstallOptions,
} from './github/world/app.ts'
export type { DeliveryFailure, LocalDelivery } from './github/world/delivery.ts'
export type { LocalHook, LocalHookOptions } from './github/world/hook.ts'
export type { Account as LocalAccount, Repository as LocalRepository } from './github/world/repository.ts'
export type { LocalRole } from './github/world/repository-content.ts'
export {
  type ContractStore,
  type DoomedWork,
  type DoomedWorker,
  type InboxContract,
  type InboxContractCase,
  type InboxContractHost,
  inboxContract,
} from './inbox-contract/index.ts'
export { inject } from './inject.ts'
export { type HandlerRun, type RunOptions, run } from './run.ts'

assertNodeVersion()

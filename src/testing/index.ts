export { type Sample, sample, samples } from '../samples/index.ts'
export { type SignedRequestOptions, signedRequest, type TestRequest } from '../samples/signed-request.ts'
export {
  adapterContract,
  type ContractCase,
  type ContractHost,
  type ContractMount,
  contractMounts,
} from './contract/index.ts'
export {
  type ContractStore,
  type DoomedWork,
  type DoomedWorker,
  type InboxContractCase,
  type InboxContractHost,
  inboxContract,
  startDoomedWorker,
  workUntilKilled,
} from './inbox-contract/index.ts'
export { inject } from './inject.ts'
export { type Failure, LocalGitHub, type LocalGitHubOptions, type LocalGitHubRequest } from './local-github.ts'

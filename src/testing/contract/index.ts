import type { ContractCase } from './case.ts'
import { limitCases } from './limits.ts'
import { originCases } from './origins.ts'
import { payloadCases } from './payloads.ts'
import { rawCases } from './raw-requests.ts'
import { replyCases } from './replies.ts'
import { signatureCases } from './signatures.ts'

export type { ContractCase } from './case.ts'
export type { ContractHost } from './client.ts'
export { type ContractMount, contractMounts } from './mounts.ts'

/**
 * The requirements for every adapter. An application mounts all of `contractMounts()` and listens. Its error handler
 * answers with the `problem()` of the error as JSON. Then each case's `run({ origin })` must resolve. Leave out the
 * cases whose `about` does not apply to the platform.
 */
export const adapterContract: readonly ContractCase[] = [
  ...signatureCases,
  ...payloadCases,
  ...replyCases,
  ...limitCases,
  ...originCases,
  ...rawCases,
]

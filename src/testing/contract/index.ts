import type { MountOptions } from '../../options.ts'
import type { ContractCase } from './case.ts'
import { limitCases } from './limits.ts'
import { type ContractMount, contractMounts } from './mounts.ts'
import { originCases } from './origins.ts'
import { payloadCases } from './payloads.ts'
import { rawCases } from './raw-requests.ts'
import { replyCases } from './replies.ts'
import { signatureCases } from './signatures.ts'

export type { ContractCase } from './case.ts'
export type { ContractHost } from './client.ts'
export type { ContractMount } from './mounts.ts'

/** The requirements for every adapter. */
export interface AdapterContract {
  /** Leave out the cases whose `about` does not apply to the platform. */
  readonly cases: readonly ContractCase[]
  /**
   * The mounts of an application under test, each at its own path and all in one application.
   * @param options Options for every mount: `clientAddress`, on platforms that provide no address.
   */
  mounts(options?: Pick<MountOptions, 'clientAddress'>): ContractMount[]
}

const cases: readonly ContractCase[] = [
  ...signatureCases,
  ...payloadCases,
  ...replyCases,
  ...limitCases,
  ...originCases,
  ...rawCases,
]

/**
 * The tests of an adapter. An application mounts all of `mounts()` and listens. Its error handler answers with the
 * `problem()` of the error as JSON. Then `run({ origin })` of each of the `cases` must resolve.
 */
export const adapterContract: AdapterContract = { cases, mounts: contractMounts }

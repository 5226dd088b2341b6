import type { DeliveryHeaders } from '../delivery.ts'
import type { HashName, HookRequest } from '../http.ts'
import { type PayloadForm, readHeaders } from './payload.ts'
import type { Signer } from './verifier.ts'

/** The members of a verified request that its delivery takes over. */
interface Verified {
  form: PayloadForm | undefined
  receivedAt: Date
  source: string
  signer: Signer | undefined
  algorithm: HashName | undefined
}

/** A delivery whose signature is valid or is not checked. Its payload has not been parsed. */
export class VerifiedDelivery implements DeliveryHeaders {
  readonly event: string
  readonly guid: string
  readonly form: PayloadForm
  readonly receivedAt: Date
  readonly source: string
  readonly secretId: string | undefined
  readonly secretIndex: number | undefined
  readonly algorithm: HashName | undefined
  readonly #request: HookRequest

  /** @throws {HookError} `missing_event`, `missing_delivery`, `header_too_long`, `unsupported_media_type` */
  constructor(request: HookRequest, { form, receivedAt, source, signer, algorithm }: Verified) {
    const required = readHeaders(request, form)
    this.event = required.event
    this.guid = required.guid
    this.form = required.form
    this.receivedAt = receivedAt
    this.source = source
    this.secretId = signer?.id
    this.secretIndex = signer?.index
    this.algorithm = algorithm
    this.#request = request
  }

  /** Read only if a handler or the inbox needs all headers, because some adapters must copy them. */
  get headers(): HookRequest['headers'] {
    return this.#request.headers
  }
}

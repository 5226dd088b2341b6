import { HookError } from '../../errors.ts'
import { ProblemError } from '../problem.ts'
import { type ApiContext, audit } from './api-context.ts'
import { noDelivery, type Route, route } from './route.ts'

/**
 * Signs a delivery as GitHub would now. Anyone who has the signature can send the delivery again, so it needs an explicit
 * request and the admin token.
 */
export function signDelivery(api: ApiContext): Route {
  const { inbox, localReceiver, receivesAt } = api
  return route({
    method: 'post',
    path: '/deliveries/{id}/signature',
    operationId: 'sign',
    summary: 'Sign the bytes of a delivery with the first secret',
    body: 'EmptyBody',
    answer: 'Signature',
    problems: [409],
    async handle({ context, id }) {
      const [delivery, bytes] = await Promise.all([inbox.get(id), inbox.body(id)])
      if (!delivery || !bytes) throw noDelivery(id)
      const signature = await localReceiver.sign(delivery.headers, bytes).catch(throwNotApplicable)
      if (signature === undefined) {
        throw new ProblemError('not_applicable', 'Signatures are not checked: there is no secret')
      }
      audit(api, context, { act: 'sign', what: { id }, count: 1 })
      return { signature, algorithm: 'sha256', url: receivesAt?.() }
    },
  })
}

/** The secret is looked up by the headers, and there may be none for these. */
function throwNotApplicable(error: unknown): never {
  if (error instanceof HookError) throw new ProblemError('not_applicable', `It cannot be signed: ${error.message}`)
  throw error
}

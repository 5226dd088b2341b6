import { HookError } from '../../errors.ts'
import { Unanswerable } from '../problem.ts'
import { idIn, noDelivery } from './deliveries.ts'
import { readJson } from './json-body.ts'
import { audit, type Operated } from './operated.ts'
import type { Route } from './route.ts'
import { answer, body, deliveryId, problems } from './schemas.ts'

/**
 * What GitHub would sign a delivery with now, to send it elsewhere by hand. It lets whoever has it repeat the delivery,
 * so it is made on request alone, and whoever may only look gets none.
 */
export function signing(operated: Operated): Route {
  const { inbox, desk, receivesAt } = operated
  return {
    method: 'post',
    path: '/deliveries/{id}/signature',
    operation: {
      operationId: 'sign',
      summary: 'Sign the bytes of a delivery with the first secret',
      parameters: [deliveryId],
      requestBody: body('Nothing', false),
      responses: { 200: answer('Signature'), ...problems(400, 404, 409, 413, 415) },
    },
    async answer(context) {
      const id = idIn(context)
      await readJson(context, [])
      const [delivery, bytes] = await Promise.all([inbox.get(id), inbox.body(id)])
      if (!delivery || !bytes) throw noDelivery(id)
      const signature = await desk.sign(delivery.headers, bytes).catch(refused)
      if (signature === undefined)
        throw new Unanswerable('not_applicable', 'Signatures are not checked: there is no secret')
      audit(operated, context, { act: 'sign', what: { id }, count: 1 })
      return context.json({ signature, algorithm: 'sha256', url: receivesAt?.() })
    },
  }
}

/** A secret that is looked up by the headers may not be there for these. */
function refused(error: unknown): never {
  if (error instanceof HookError) throw new Unanswerable('not_applicable', `It cannot be signed: ${error.message}`)
  throw error
}

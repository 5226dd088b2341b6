import type { ServerResponse } from 'node:http'
import { HookError } from '../../errors.ts'
import type { DeliveryDetail } from '../../inbox/records.ts'
import { onClose } from '../listener.ts'
import { ProblemError } from '../problem.ts'
import { entryOf, logAction } from './audit.ts'
import { cursorBefore } from './cursor.ts'
import { type ApiContext, noDelivery, type Route, route } from './route.ts'
import { ListQuery, queryOf, ValuesQuery } from './schemas/requests.ts'

export const deliveries = ({ inbox }: Pick<ApiContext, 'inbox'>, limits: BodyLimits = defaultLimits): Route[] => [
  route({
    method: 'get',
    path: '/deliveries',
    operationId: 'listDeliveries',
    summary: 'List deliveries, newest first',
    query: ListQuery,
    answer: 'Page',
    async handle({ query: { before, cursor, limit, ...filters } }) {
      const bound = Math.min(before ?? Number.POSITIVE_INFINITY, cursor ?? Number.POSITIVE_INFINITY)
      const page = await inbox.list({
        ...queryOf(filters),
        ...{ before: Number.isFinite(bound) ? bound : undefined, limit },
      })
      const { next: reached } = page
      return { ...page, next: reached === undefined ? undefined : cursorBefore(reached), reached }
    },
  }),
  route({
    method: 'get',
    path: '/deliveries/{id}',
    operationId: 'getDelivery',
    summary: 'Get a delivery with its headers, handlers and attempts',
    answer: 'DeliveryDetail',
    handle: async ({ id }) => found(id, await inbox.get(id)),
  }),
  getBody(inbox, limits),
  route({
    method: 'get',
    path: '/values',
    operationId: 'listValues',
    summary: 'List the values of a column, or only those that begin with a prefix',
    query: ValuesQuery,
    answer: 'Values',
    handle: async ({ query }) => ({ values: await inbox.values(query) }),
  }),
]

interface BodyLimits {
  /** The maximum number of bytes of all bodies that are being sent. A body that is sent alone may be larger. */
  maxSending: number
  /** Milliseconds for which a client may read nothing before its connection closes. */
  idleTimeout: number
}

const defaultLimits: BodyLimits = { maxSending: 128 * 1024 * 1024, idleTimeout: 45_000 }

function getBody(inbox: ApiContext['inbox'], { maxSending, idleTimeout }: BodyLimits): Route {
  let sending = 0
  /** Reserves the bytes until the answer has been sent or the client has disconnected. @throws {ProblemError} */
  const reserve = (bytes: number, outgoing: ServerResponse) => {
    if (sending > 0 && sending + bytes > maxSending) throw new ProblemError('too_many_bodies', tooManyBodies)
    sending += bytes
    outgoing.socket?.setTimeout(idleTimeout) // after the response, Node.js replaces it with the keep-alive timeout
    onClose(outgoing, () => {
      sending -= bytes
    })
  }
  return route({
    method: 'get',
    path: '/deliveries/{id}/body',
    operationId: 'getBody',
    summary: 'Get the body that GitHub sent, byte for byte',
    responses: { 200: { description: 'The body', content: { 'application/octet-stream': {} } } },
    problems: [429],
    async handle({ context, id }) {
      const delivery = found(id, await inbox.get(id))
      const { outgoing } = context.env as { outgoing: ServerResponse }
      reserve(delivery.size, outgoing)
      const bytes = found(id, await inbox.body(id))
      // The body is untrusted: browsers must save it, and not show it as a page of this server.
      return context.body(bytes as Uint8Array<ArrayBuffer>, 200, {
        'content-type': 'application/octet-stream',
        'content-disposition': `attachment; filename="${fileName(delivery)}"`,
      })
    },
  })
}

const tooManyBodies = 'Too many large bodies are being sent: try again later'

/** @throws {ProblemError} if there is no such delivery. */
function found<Value>(id: number, value: Value | undefined): Value {
  if (value === undefined) throw noDelivery(id)
  return value
}

/** A safe file name. The GUID is untrusted. */
function fileName({ id, guid, form }: DeliveryDetail): string {
  const safe = guid.replace(/[^\w-]/g, '').slice(0, 64)
  return `${safe || id}.${form === 'json' ? 'json' : 'txt'}`
}

/** Signs a delivery as GitHub does. Needs full access, because anyone who has the signature can send the delivery. */
export function signDelivery(api: ApiContext): Route {
  const { inbox, localReceiver, publicUrl } = api
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
        throw new ProblemError('not_applicable', 'There is no secret to sign with: signature checks are off')
      }
      // No signature leaves the server without its entry.
      await inbox.recordAction(entryOf(context, 'sign'), { count: 1, deliveries: [id] })
      logAction(api, context, { act: 'sign', what: { id }, count: 1 })
      return { signature, algorithm: 'sha256', url: publicUrl }
    },
  })
}

/** Reports that there is no secret, for example because a `secret` function finds none for the delivery's headers. */
function throwNotApplicable(error: unknown): never {
  if (error instanceof HookError) throw new ProblemError('not_applicable', `Cannot sign the delivery: ${error.message}`)
  throw error
}

import type { ServerResponse } from 'node:http'
import type { Context } from 'hono'
import type { DeliveryDetail } from '../../inbox/records.ts'
import { onClose } from '../listener.ts'
import { Unanswerable } from '../problem.ts'
import { filters, paging, readFilters } from './filters.ts'
import type { Operated } from './operated.ts'
import { parameterOf, parametersIn, type Route } from './route.ts'
import { answer, deliveryId, parametersOf, problems } from './schemas.ts'

interface BodyLimits {
  /** Bytes of bodies that are handed out at a time. */
  mostUnderWay: number
  /** Milliseconds after which a connection is cut that takes nothing of one. */
  patience: number
}

const usual: BodyLimits = { mostUnderWay: 128 * 1024 * 1024, patience: 45_000 }

/** What the inbox holds. */
export function deliveries({ inbox }: Pick<Operated, 'inbox'>, limits: BodyLimits = usual): Route[] {
  let underWay = 0
  return [
    {
      method: 'get',
      path: '/deliveries',
      operation: {
        operationId: 'listDeliveries',
        summary: 'A page of deliveries, the newest first',
        parameters: parametersOf({ ...filters, ...paging }),
        responses: { 200: answer('Page'), ...problems(400) },
      },
      async answer(context) {
        const query = readFilters(parametersIn(context), { ...filters, ...paging })
        return context.json(await inbox.list(query))
      },
    },
    {
      method: 'get',
      path: '/deliveries/{id}',
      operation: {
        operationId: 'getDelivery',
        summary: 'A delivery with its headers, handlers and attempts',
        parameters: [deliveryId],
        responses: { 200: answer('Delivery'), ...problems(404) },
      },
      answer: async (context) => context.json(await found(context, (id) => inbox.get(id))),
    },
    {
      method: 'get',
      path: '/deliveries/{id}/body',
      operation: {
        operationId: 'getBody',
        summary: 'The bytes as they came',
        parameters: [deliveryId],
        responses: {
          200: { description: 'The bytes', content: { 'application/octet-stream': {} } },
          ...problems(404, 429),
        },
      },
      async answer(context) {
        const detail = await found(context, (id) => inbox.get(id))
        if (underWay > 0 && underWay + detail.size > limits.mostUnderWay)
          throw new Unanswerable('too_many_bodies', later)
        const { outgoing } = context.env as { outgoing: ServerResponse }
        const { socket } = outgoing
        underWay += detail.size
        socket?.setTimeout(limits.patience)
        onClose(outgoing, () => {
          underWay -= detail.size
          socket?.setTimeout(0)
        })
        const bytes = await found(context, (id) => inbox.body(id))
        // Somebody else wrote it: it is to be kept as a file, and never shown as a page of this server.
        return context.body(bytes as Uint8Array<ArrayBuffer>, 200, {
          'content-type': 'application/octet-stream',
          'content-disposition': `attachment; filename="${fileName(detail)}"`,
        })
      },
    },
  ]
}

const later = 'Too many large bodies are being handed out: ask again when one of them has been taken'

/** The id in the path. @throws {Unanswerable} if it is none. */
export function idIn(context: Context): number {
  const text = parameterOf(context, 'id')
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text)
  throw noDelivery(text)
}

export const noDelivery = (id: string | number): Unanswerable =>
  new Unanswerable('not_found', `There is no delivery ${id}`)

async function found<T>(context: Context, look: (id: number) => Promise<T | undefined>): Promise<T> {
  const id = idIn(context)
  const value = await look(id)
  if (value === undefined) throw noDelivery(id)
  return value
}

/** The GUID may be anybody's text, and says nothing of files. */
function fileName({ id, guid, form }: DeliveryDetail): string {
  const safe = guid.replace(/[^\w-]/g, '').slice(0, 64)
  return `${safe || id}.${form === 'json' ? 'json' : 'txt'}`
}

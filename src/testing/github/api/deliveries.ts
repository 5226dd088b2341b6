import { type Json, rawNumber } from '../../../runtime/json.ts'
import { preciseTimestamp } from '../clock.ts'
import { link, pageSize } from '../http/paging.ts'
import { HttpError, notFound, ok, type Reply } from '../http/reply.ts'
import type { Call } from '../http/route.ts'
import type { LocalDelivery } from '../world/delivery.ts'
import type { World } from '../world/world.ts'
import { hookIn } from './hooks.ts'

/**
 * The range of status codes for each value of the parameter `status`, as GitHub documents it. For this parameter, a
 * redirect (3xx) is a success.
 */
const outcomes: Record<string, readonly [least: number, most: number]> = { success: [200, 399], failure: [400, 599] }

/** Lists the deliveries that GitHub still keeps, newest first. */
export function listDeliveries(call: Call): Reply {
  const { searchParams } = call.url
  const [cursor, status] = [searchParams.get('cursor'), searchParams.get('status')]
  const from = /^v1_(\d+)$/.exec(cursor ?? '')?.[1]
  if (cursor !== null && from === undefined) throw new HttpError(400, `Bad Request: invalid cursor ${cursor}`)
  const [least, most] = (status !== null && outcomes[status]) || [0, 999]
  if (status !== null && !Object.hasOwn(outcomes, status))
    throw new HttpError(400, `Bad Request: invalid status ${status}`)
  const { world } = call
  const { deliveries, next } = world.logOf(hookIn(call)).page({
    ...{ from, size: pageSize(call.url), since: world.deliveriesSince },
    wanted: (delivery) => delivery.statusCode >= least && delivery.statusCode <= most && world.isLogged(delivery),
  })
  return ok(
    deliveries.map((delivery) => listedItem(world, delivery)),
    {
      ...(next !== undefined && { link: link(call.url, 'cursor', `v1_${next}`, 'next') }),
      ...(world.pollInterval !== undefined && { 'x-poll-interval': String(world.pollInterval / 1000) }),
    },
  )
}

export const getDelivery = (call: Call): Reply => ok(deliveryShape(deliveryIn(call)))

/** Sends the delivery again, with the same GUID, to the webhook's current URL. The reply does not wait for it. */
export function redeliver(call: Call): Reply {
  const { event, guid, request } = deliveryIn(call)
  const { payload, payloadText } = request
  void call.sender.send(hookIn(call), { event, guid, payload, payloadText }, { redelivery: true })
  return { status: 202, body: {} }
}

function deliveryIn(call: Call): LocalDelivery {
  const { world, parameters } = call
  const delivery = world.logOf(hookIn(call)).find(parameters.delivery_id ?? '')
  if (!delivery || !world.isLogged(delivery)) throw notFound()
  return delivery
}

/** A delivery in a list, or the value with which a test has replaced it. */
function listedItem({ entryOverrides }: World, delivery: LocalDelivery): unknown {
  const item = deliveryItem(delivery)
  const { listed } = entryOverrides.get(delivery.id) ?? {}
  if (listed === undefined) return item
  return typeof listed === 'function' ? listed(item) : listed
}

/** A delivery in a list. */
function deliveryItem(delivery: LocalDelivery): Json {
  const { id, guid, deliveredAt, throttledAt, redelivery, duration, status, statusCode, event, action } = delivery
  const { installationId, repositoryId } = delivery
  return {
    ...{ id: rawNumber(id), guid, delivered_at: preciseTimestamp(deliveredAt), redelivery, duration: duration / 1000 },
    ...{ status, status_code: statusCode },
    ...{ event, action: action ?? null, installation_id: installationId ?? null },
    repository_id: repositoryId ?? null,
    throttled_at: throttledAt === undefined ? null : preciseTimestamp(throttledAt),
  }
}

/** A delivery with its request and response. The payload is parsed, so its signature can no longer be checked. */
function deliveryShape(delivery: LocalDelivery): object {
  const { url, request, response } = delivery
  const { headers, payload, payloadText } = request
  const shown = payloadText === undefined ? payload : parseExactly(payloadText)
  return { ...deliveryItem(delivery), url, request: { headers, payload: shown }, response }
}

/** Parses JSON so that `JSON.stringify()` writes every number with the same digits: 9007199254740993, 1.0, 1e400. */
function parseExactly(text: string): unknown {
  const keepDigits = (_name: string, value: unknown, { source }: { source: string }) =>
    typeof value === 'number' ? rawNumber(source) : value
  return JSON.parse(text, keepDigits as (name: string, value: unknown) => unknown) // TypeScript has no type for `source`
}

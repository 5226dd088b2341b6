import { timestamp } from '../clock.ts'
import type { LocalDelivery } from '../world/delivery.ts'

/** A delivery in a list. */
export function deliveryItem(delivery: LocalDelivery): object {
  const { id, guid, deliveredAt, redelivery, duration, status, statusCode, event, action } = delivery
  const { installationId, repositoryId } = delivery
  return {
    ...{ id, guid, delivered_at: timestamp(deliveredAt), redelivery, duration, status, status_code: statusCode },
    ...{ event, action: action ?? null, installation_id: installationId ?? null },
    ...{ repository_id: repositoryId ?? null, throttled_at: null },
  }
}

/** A delivery with its request and response. The payload is parsed, so its signature can no longer be checked. */
export function deliveryShape(delivery: LocalDelivery): object {
  const { url, request, response } = delivery
  return { ...deliveryItem(delivery), url, request, response }
}

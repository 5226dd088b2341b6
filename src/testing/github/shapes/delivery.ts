import { timestamp } from '../clock.ts'
import type { LocalDelivery } from '../world/delivery.ts'

/** As a list has it. */
export function deliveryItem(delivery: LocalDelivery): object {
  const { id, guid, deliveredAt, redelivery, duration, status, statusCode, event, action } = delivery
  const { installationId, repositoryId } = delivery
  return {
    ...{ id, guid, delivered_at: timestamp(deliveredAt), redelivery, duration, status, status_code: statusCode },
    ...{ event, action: action ?? null, installation_id: installationId ?? null },
    ...{ repository_id: repositoryId ?? null, throttled_at: null },
  }
}

/** With all that was sent and answered. The payload is parsed, so that its signature cannot be checked any more. */
export function deliveryShape(delivery: LocalDelivery): object {
  const { url, request, response } = delivery
  return { ...deliveryItem(delivery), url, request, response }
}

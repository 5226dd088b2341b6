import { healthOf, idIn, type LocalDelivery, type Outcome } from '../world/delivery.ts'
import type { Hook } from '../world/hook.ts'
import type { World } from '../world/world.ts'
import type { Message } from './delivery-request.ts'

/** A finished attempt to deliver. */
export interface Attempt {
  id: string
  deliveredAt: number
  endedAt: number
  throttledAt: number | undefined
  duration: number
  redelivery: boolean
  message: Message
  headers: Record<string, string>
  outcome: Outcome
}

/** Adds an attempt to the deliveries of its webhook, and records it as the last response of the webhook. */
export function addAttempt(world: World, hook: Hook, { message, headers, outcome, ...times }: Attempt): LocalDelivery {
  const { event, guid, payload, payloadText } = message
  const { action } = payload as { action?: unknown }
  const delivery: LocalDelivery = {
    ...times,
    ...{ guid, event, action: typeof action === 'string' ? action : undefined, hookId: hook.id, url: hook.url },
    installationId: idIn(payload, 'installation'),
    repositoryId: idIn(payload, 'repository'),
    request: { headers, payload, payloadText },
    ...outcome,
  }
  world.logOf(hook).add(delivery)
  hook.lastResponse = { code: outcome.statusCode, status: healthOf(outcome), message: outcome.status }
  return delivery
}

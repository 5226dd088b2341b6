import { randomUUID } from 'node:crypto'
import { splitName } from '../../../events.ts'
import type { Duration } from '../../../runtime/units.ts'
import { sample } from '../../../samples/index.ts'
import { readDuration } from '../options.ts'
import type { DeliveryFailure, LocalDelivery, Outcome } from '../world/delivery.ts'
import type { Hook } from '../world/hook.ts'
import type { World } from '../world/world.ts'
import { addAttempt } from './add-attempt.ts'
import { deliveryRequest, payloadIn } from './delivery-request.ts'
import { answered, typicalFailure, unanswered } from './outcome.ts'

/** A past delivery. */
export interface PastDelivery {
  /** `issues` or `issues.opened`. */
  event: string
  /** An object, or JSON text, whose digits the API shows unchanged. Default: a sample of the event. */
  payload?: object | string
  /** Default: a new GUID. */
  guid?: string
  /** In milliseconds since 1970. Default: now. */
  deliveredAt?: number
  /** When GitHub held it back, in milliseconds since 1970. Default: it did not. */
  throttledAt?: number
  /** Why the receiver did not answer. Default: it answered. */
  failure?: DeliveryFailure
  /** Default: 200, or GitHub's code for the failure. */
  statusCode?: number
  /** Default: GitHub's text for the code or the failure. */
  status?: string
  /** Default: `false`. */
  redelivery?: boolean
  /** The time until the receiver had answered. Default: 100 ms. */
  duration?: Duration
}

/** Records deliveries that were never sent. */
export function record(world: World, hook: Hook, deliveries: readonly PastDelivery[]): LocalDelivery[] {
  const samples = new Map<string, object>() // shared, because thousands of copies would be slow
  const sampleOf = (name: string): object => {
    const payload = samples.get(name) ?? sample(name)
    samples.set(name, payload)
    return payload
  }
  const now = world.clock.now()
  return deliveries.map((past) => {
    const { event: name, guid = randomUUID(), deliveredAt = now, throttledAt, redelivery = false } = past
    const duration = readDuration(past.duration ?? 100, 'duration')
    const message = { event: splitName(name)[0], guid, ...payloadIn(name, past.payload ?? sampleOf(name)) }
    const { headers } = deliveryRequest(hook, message, world.enterprise)
    // A delivery without `deliveredAt` ends now and not in the future.
    const times = { deliveredAt, endedAt: Math.min(now, deliveredAt + duration), throttledAt, duration }
    const attempt = { id: world.newDeliveryId(), ...times, redelivery, message, headers }
    return addAttempt(world, hook, { ...attempt, outcome: outcomeOf(world, hook, past) })
  })
}

function outcomeOf({ statusTexts }: World, { url }: Hook, { failure, status, statusCode }: PastDelivery): Outcome {
  const usual =
    failure === undefined
      ? answered(statusCode ?? 200, { headers: {}, payload: null })
      : unanswered(statusTexts, url, typicalFailure(failure, url))
  return { ...usual, ...(status !== undefined && { status }), ...(statusCode !== undefined && { statusCode }) }
}

import type { DeliveryHeaders } from '../delivery.ts'
import { HookError } from '../errors.ts'
import type { Deadline } from '../runtime/deadline.ts'
import { diagnostics } from '../telemetry/diagnostics.ts'
import { isSecretName } from '../telemetry/logger.ts'
import type { DeliveryStore, NewDelivery, StoreResult } from './inbox.ts'
import { notStored } from './records.ts'

/** Milliseconds for which a failure counts. By default, Kubernetes probes the readiness every 10 s; this is longer. */
const failureMemory = 15_000

/**
 * Whether a receiver could store its latest delivery. `checkWritable` does not find every fault: if a page of an index
 * is damaged, only the deliveries with entries on that page fail. So a failure counts until a delivery is stored, but
 * no longer than `failureMemory`: a server that gets no traffic because it is not ready must become ready again.
 */
export class StoreHealth {
  #failure: { cause: unknown; at: number } | undefined

  stored(): void {
    this.#failure = undefined
  }

  failed(cause: unknown): void {
    this.#failure = { cause, at: performance.now() }
  }

  /**
   * @throws {HookError} `inbox_unavailable`, with the cause of the latest failure, if no delivery has been stored since
   * and the failure is less than `failureMemory` old.
   */
  check(): void {
    if (!this.#failure || performance.now() - this.#failure.at >= failureMemory) return
    throw new HookError('inbox_unavailable', { cause: this.#failure.cause })
  }
}

/**
 * Stores a delivery before the deadline of its reply. Releases `memory`, the memory of the body, when the store has
 * settled. This may be after the deadline, because a store cannot be stopped.
 * @throws {HookError} `inbox_unavailable`. The store may have committed the delivery nevertheless, or may commit it
 *   later. A copy of the delivery is then a duplicate.
 */
export async function storeDelivery(
  inbox: DeliveryStore,
  delivery: NewDelivery,
  { deadline, health, memory }: { deadline: Deadline; health: StoreHealth; memory: { release(): void } | undefined },
): Promise<StoreResult> {
  const release = () => memory?.release()
  let storing: Promise<StoreResult> | undefined
  try {
    storing = inbox.store(delivery)
    storing.then(release, release)
    const result = await deadline.race(storing, () => new Error('The inbox did not commit in time'))
    health.stored()
    publishStored(result, delivery)
    return result
  } catch (cause) {
    if (!storing) release()
    health.failed(cause)
    throw new HookError('inbox_unavailable', { cause })
  }
}

/** Publishes the event `stored` or `duplicate`. */
export function publishStored(
  { id, outcome, conflict }: StoreResult,
  { guid, event, source }: Pick<NewDelivery, 'guid' | 'event' | 'source'>,
): void {
  const { stored, duplicate } = diagnostics
  if (outcome === 'duplicate') {
    if (duplicate?.hasSubscribers) duplicate.publish({ id, guid, event, source })
  } else if (stored?.hasSubscribers) {
    stored.publish({ id, guid, event, source, rearmed: outcome === 'rearmed', conflict })
  }
}

/** The delivery to store, without secrets. */
export function toNewDelivery(received: {
  delivery: DeliveryHeaders
  body: Uint8Array
  form: 'json' | 'form'
  algorithm: string | undefined
  address: string | undefined
  trace?: string | undefined
  editedFrom?: number | undefined
}): NewDelivery {
  const { delivery, body, form, algorithm, address, trace, editedFrom } = received
  const { source, guid, event, headers, receivedAt, secretId, secretIndex } = delivery
  return {
    source,
    hookId: headers['x-github-hook-id'] ?? '',
    guid,
    event,
    headers: redactHeaders(headers),
    body,
    form,
    address,
    receivedAt: receivedAt.getTime(),
    secretId: secretId === undefined ? undefined : String(secretId), // the function `secret` may return any type
    secretIndex,
    algorithm,
    editedFrom,
    trace,
  }
}

/**
 * Replaces the values of headers with credentials or signatures. Readers of the inbox could use them to pose as the
 * sender, or as the platform on which this process runs.
 */
export function redactHeaders(original: DeliveryHeaders['headers']): Record<string, string | undefined> {
  const headers = { ...original }
  for (const name in headers) if (headers[name] !== undefined && isSecretHeader(name)) headers[name] = notStored
  return headers
}

/** Maximum headers in `knownHeaders`. Senders may choose any number of names. */
const maxKnownHeaders = 200
const knownHeaders = new Map<string, boolean>()

/** Remembers the result for each header, which saves 2 µs for each delivery. */
function isSecretHeader(name: string): boolean {
  const known = knownHeaders.get(name)
  if (known !== undefined) return known
  const isSecret = isSecretName(name)
  if (knownHeaders.size < maxKnownHeaders) knownHeaders.set(name, isSecret)
  return isSecret
}

/** The order key and the fair key of a task, which the options `order` and `fair` of its handler determine. */
import { type ParsedPayload, ReceivedDelivery } from '../../delivery.ts'
import type { Registration } from '../../handler.ts'
import { isStorable } from '../../runtime/check-options.ts'
import { idIn, type Json, objectIn, textIn } from '../../runtime/json.ts'
import { builtinModule } from '../../runtime/platform.ts'
import type { StoredDelivery } from '../inbox.ts'
import { toDeliveryHeaders } from './payload.ts'
import type { WorkerHost } from './worker-host.ts'

/** The maximum length of an order key or a fair key that is stored as it is, in characters. */
const maxKeyLength = 200

/**
 * The order key of a delivery for a handler. If the function `order` fails, the delivery has no key, and is handled
 * without an order.
 */
export function orderKeyOf(
  registration: Registration,
  stored: StoredDelivery,
  payload: ParsedPayload,
  host: WorkerHost,
): string | undefined {
  try {
    return shortKey(wholeOrderKeyOf(registration, stored, payload, host))
  } catch (err) {
    const { name } = registration
    const message = `The function "order" of ${name} failed, so the delivery has no order key`
    host.logger.error({ err, handler: name, id: stored.id, guid: stored.guid }, message)
    return undefined
  }
}

function wholeOrderKeyOf(
  { name, options }: Registration,
  stored: StoredDelivery,
  { plain, forHandlers }: ParsedPayload,
  { logger, octokits }: WorkerHost,
): string | undefined {
  const { order } = options
  if (order === undefined) return undefined
  if (order === 'repository') return textIn(objectIn(plain, 'repository'), 'full_name')
  const readBody = () => Promise.reject(new Error('The function "order" cannot wait for delivery.body()'))
  const delivery = new ReceivedDelivery(toDeliveryHeaders(stored), forHandlers(), { logger, octokits, readBody })
  delivery.beginAttempt({ name, options }, options.attempts === 1)
  const key: unknown = order(delivery)
  if (key instanceof Promise) {
    key.catch(() => undefined)
    throw new TypeError('The function "order" must return a key, not a promise')
  }
  return key === undefined || key === null ? undefined : String(key)
}

/** The fair key of a delivery for a handler. */
export function fairKeyOf({ options }: Registration, payload: Json): string | undefined {
  const { fair = 'repository' } = options
  if (fair === false) return undefined
  const repository = objectIn(payload, 'repository')
  const own = fair === 'repository' ? textIn(repository, 'full_name') : idIn(objectIn(payload, 'installation'))
  const owner = objectIn(repository, 'owner') ?? objectIn(payload, 'organization')
  return shortKey(own ?? textIn(owner, 'login') ?? '')
}

/** Replaces a key that is long, or that no store can keep, by its hash, so that equal keys stay equal. */
function shortKey(key: string | undefined): string | undefined {
  if (key === undefined || (key.length <= maxKeyLength && isStorable(key))) return key
  const crypto = builtinModule<{ hash(algorithm: string, text: string): string }>('node:crypto')
  return crypto ? `sha256:${crypto.hash('sha256', key)}` : key
}

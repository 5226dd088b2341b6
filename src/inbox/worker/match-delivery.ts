import { type DeliveryHeaders, ReceivedDelivery } from '../../delivery.ts'
import type { Registration } from '../../handler.ts'
import type { Json } from '../../runtime/json.ts'
import type { Match, MatchedTask, StoredDelivery } from '../inbox.ts'
import { heapLimit } from '../parsed-size.ts'
import { summarizePayload } from '../payload-summary.ts'
import type { Slots } from './concurrency.ts'
import type { WorkerHost } from './worker-host.ts'

/** A delivery, its payload and its handlers. */
export interface MatchedDelivery {
  match: Match
  stored: StoredDelivery
  data: Json
  /** Bytes of memory that the parsed payload takes. */
  cost: number
  registrations: readonly Registration[]
}

export interface MatchOptions {
  host: WorkerHost
  slots: Slots
  /** Bytes of memory that the parsed payload takes, as `estimateParsedSize` has it. */
  cost: number
  /** Whether there is memory to run handlers with the payload now. */
  hasMemory: boolean
}

/** Reads the payload of a delivery and finds its handlers. Takes a slot for each task that can run now. */
export function matchDelivery(stored: StoredDelivery, { host, slots, cost, hasMemory }: MatchOptions): MatchedDelivery {
  let data: Json
  try {
    data = readPayload(stored, cost, host)
  } catch (error) {
    return unreadableDelivery(stored, cost, reasonOf(error))
  }
  const summary = summarizePayload(data)
  const registrations = host.match(stored.event, summary.action)
  const tasks = registrations.map((registration): MatchedTask => {
    const claim = hasMemory && slots.free(registration) > 0
    if (claim) slots.take(registration.name)
    return { handler: registration.name, key: orderKeyOf(registration, stored, data, host), claim }
  })
  const match = { id: stored.id, summary, tasks, discardReplay: host.onReplay === 'discard' }
  return { match, stored, data, cost, registrations }
}

/** A delivery that no handler sees, because its payload cannot be read. */
export function unreadableDelivery(stored: StoredDelivery, cost: number, reason: string): MatchedDelivery {
  const match = { id: stored.id, summary: {}, tasks: [], invalid: reason }
  return { match, stored, data: {}, cost, registrations: [] }
}

/**
 * @param cost Bytes of memory that the parsed payload takes, as `estimateParsedSize` has it.
 * @throws {Error} if the body is not a payload, if its bytes are damaged, or if the process has too little memory for it.
 */
export function readPayload({ body, form, damaged }: StoredDelivery, cost: number, host: WorkerHost): Json {
  if (damaged !== undefined) throw new Error(`The stored delivery is damaged: ${damaged}`)
  if (!fitsHeap(cost)) {
    const [needed, available] = [mebibytes(cost), mebibytes(heapLimit())]
    throw new Error(
      `The payload needs about ${needed} of memory, and this process has ${available}: raise --max-old-space-size`,
    )
  }
  return host.parse(body, form)
}

/** The share of the heap that one payload may take; the rest is for the handlers. */
const heapShare = 3 / 4

let largestPayload: number | undefined

/** Whether a payload can be parsed without ending the process. */
export function fitsHeap(cost: number): boolean {
  largestPayload ??= heapLimit() * heapShare
  return cost <= largestPayload
}

const mebibytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`

export function toDeliveryHeaders(stored: Omit<StoredDelivery, 'body'>): DeliveryHeaders {
  return { ...stored, receivedAt: new Date(stored.receivedAt) }
}

/** The bytes are signed, so the sender knows the secret and sent something that is not a payload. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error
  return `invalid_payload: ${message}${cause ? ` (${cause})` : ''}`
}

/** If the function `order` fails, the delivery has no key and is handled without an order. */
function orderKeyOf(
  { name, options }: Registration,
  stored: StoredDelivery,
  data: Json,
  { logger, octokits }: WorkerHost,
): string | undefined {
  if (options.order === undefined) return undefined
  const delivery = new ReceivedDelivery(toDeliveryHeaders(stored), data, logger, octokits)
  if (options.order === 'repository') return delivery.repository
  try {
    const key: unknown = options.order(delivery)
    if (key instanceof Promise) {
      key.catch(() => undefined)
      throw new TypeError('The function "order" must return a key, not a promise')
    }
    return key === undefined || key === null ? undefined : String(key)
  } catch (err) {
    const message = `The order of ${name} failed for a delivery, which has no key`
    logger.error({ err, handler: name, guid: stored.guid }, message)
    return undefined
  }
}

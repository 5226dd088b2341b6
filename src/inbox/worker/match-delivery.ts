import { type DeliveryHeaders, ReceivedDelivery } from '../../delivery.ts'
import type { Registration } from '../../handler.ts'
import type { Json } from '../../runtime/json.ts'
import type { Match, MatchedTask, StoredDelivery } from '../inbox.ts'
import { heapLimit } from '../parsed-size.ts'
import { summarizePayload } from '../payload-summary.ts'
import type { Slots } from './concurrency.ts'
import type { WorkerHost } from './worker-host.ts'

/** A delivery that has been read, and whom it concerns. */
export interface MatchedDelivery {
  match: Match
  delivery: StoredDelivery
  data: Json
  matches: readonly Registration[]
}

/**
 * Reads a delivery and finds its handlers. For those that may begin at once, their slots are taken.
 * @param cost Bytes that the parsed payload takes.
 * @param mayBegin Whether there is memory for the payload.
 */
export function matchDelivery(
  delivery: StoredDelivery,
  host: WorkerHost,
  slots: Slots,
  cost: number,
  mayBegin: boolean,
): MatchedDelivery {
  const { id } = delivery
  let data: Json
  try {
    data = readPayload(delivery, cost, host)
  } catch (error) {
    return unreadableDelivery(delivery, reasonOf(error))
  }
  const facts = summarizePayload(data)
  const matches = host.match(delivery.event, facts.action)
  const tasks = matches.map((registration): MatchedTask => {
    const begin = mayBegin && slots.free(registration) > 0
    if (begin) slots.take(registration.name)
    return { handler: registration.name, key: orderKeyOf(registration, delivery, data, host), claim: begin }
  })
  return { match: { id, summary: facts, tasks, discardReplay: host.onReplay === 'discard' }, delivery, data, matches }
}

/** A delivery that no handler sees, since its payload cannot be read. */
export function unreadableDelivery(delivery: StoredDelivery, reason: string): MatchedDelivery {
  return { match: { id: delivery.id, summary: {}, tasks: [], invalid: reason }, delivery, data: {}, matches: [] }
}

/**
 * @param cost Bytes that the parsed payload takes, as `estimateParsedSize` has it.
 * @throws {Error} if it is no payload, if its bytes are damaged, or if it needs more memory than the process has.
 */
export function readPayload({ body, form, damaged }: StoredDelivery, cost: number, host: WorkerHost): Json {
  if (damaged !== undefined) throw new Error(`What was stored is damaged: ${damaged}`)
  if (!fitsHeap(cost)) {
    const [needs, has] = [mebibytes(cost), mebibytes(heapLimit())]
    throw new Error(
      `The payload needs about ${needs} of memory, and this process has ${has}: raise --max-old-space-size`,
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

/** What a stored delivery says of itself. */
export function toDeliveryHeaders(stored: Omit<StoredDelivery, 'body'>): DeliveryHeaders {
  return { ...stored, receivedAt: new Date(stored.receivedAt) }
}

/** The bytes are signed, so whoever has the secret sent no payload. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error
  return `invalid_payload: ${message}${cause ? ` (${cause})` : ''}`
}

/** Without a key there is no order, but a handler is not kept from running for that. */
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
      throw new TypeError('The function "order" must give a key, and not a promise of one')
    }
    return key === undefined || key === null ? undefined : String(key)
  } catch (err) {
    logger.error(
      { err, handler: name, guid: stored.guid },
      `The order of ${name} failed for a delivery, which has no key`,
    )
    return undefined
  }
}

import { randomUUID } from 'node:crypto'
import type { Context } from 'hono'
import type { Mountable } from '../../adapters/mount.ts'
import { HookError } from '../../errors.ts'
import type { HookRequest, Receiver } from '../../http.ts'
import type { HooksOptions } from '../../options.ts'
import { isObject } from '../../runtime/json.ts'
import { payloadsByEvent, samples as samplesOf } from '../../samples/index.ts'
import { clientAddress } from '../listener.ts'
import { ProblemError } from '../problem.ts'
import { type ApiContext, assertParsedSize, audit, noDelivery, type Route, route } from './route.ts'
import type { Output } from './schemas/index.ts'
import { expectedJson } from './schemas/requests.ts'
import type { SampleCount } from './schemas/responses.ts'

/** Bytes of a request: GitHub's largest payload has 25 MiB, in which each character may be escaped. */
const maxBody = 51 * 2 ** 20

/**
 * Receives the deliveries that an operator creates, from every address.
 * @param receives Whether the process also receives GitHub's deliveries in a way that `hooks` does not know of.
 */
export const openLocalReceiver = (hooks: Mountable, options: HooksOptions, receives = false): Receiver =>
  hooks.mount({ ...options, work: false, validateIp: false, url: false, source: 'dashboard' }, { receives })

/** Creates a delivery. The server signs it and receives it like any other, but does not check its origin. */
export function createDelivery(api: ApiContext): Route {
  const { inbox, localReceiver } = api
  return route({
    method: 'post',
    path: '/deliveries',
    operationId: 'createDelivery',
    summary: 'Create a delivery, from a payload of your own or from an earlier delivery',
    body: 'NewDelivery',
    bodyRequired: true,
    maxBody,
    answer: 'Created',
    status: 201,
    problems: [404],
    async handle({ context, body }) {
      const { event, editedFrom } = body
      const bytes = bytesOf(body)
      const guid = randomUUID()
      const original = editedFrom === undefined ? undefined : await inbox.get(editedFrom)
      if (editedFrom !== undefined && !original) throw noDelivery(editedFrom)
      const headers = { ...original?.headers, ...headersOf(event, guid) }
      await receive(localReceiver, context, { headers, bytes, editedFrom })
      const id = (await inbox.list({ guid, limit: 1 })).deliveries[0]?.id
      audit(api, context, { act: 'send', what: { id, guid, event, editedFrom }, count: 1 })
      context.header('location', `/api/deliveries/${id}`)
      return { id, guid }
    },
  })
}

/** @throws {ProblemError} if the payload cannot be written as JSON, or the text is not the JSON of an object. */
function bytesOf({ payload, text }: Output<'NewDelivery'>): Uint8Array {
  if (text !== undefined) return verified(text)
  try {
    return new TextEncoder().encode(JSON.stringify(payload))
  } catch {
    throw ProblemError.because([{ name: 'payload', expected: 'an object that is not nested so deeply' }])
  }
}

/** The bytes of the text itself: parsing and writing it again could change its numbers. */
function verified(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text)
  assertParsedSize(bytes)
  try {
    if (text.isWellFormed() && isObject(JSON.parse(text))) return bytes
  } catch {
    // The error below covers this, too.
  }
  throw ProblemError.because([{ name: 'text', expected: expectedJson }])
}

/** Replaces the original's headers about its bytes, connection and sender. A secret may be looked up by the others. */
const headersOf = (event: string, guid: string): HookRequest['headers'] => ({
  ...Object.fromEntries(headersNotCopied.map((name) => [name, undefined])),
  'content-type': 'application/json',
  'user-agent': 'hookserver',
  'x-github-event': event,
  'x-github-delivery': guid,
})

const headersNotCopied = [
  ...['content-length', 'content-encoding', 'transfer-encoding', 'connection', 'expect'],
  ...['x-hub-signature', 'x-hub-signature-256', 'authorization', 'proxy-authorization', 'cookie'],
]

/** @throws {ProblemError} that says why it was not stored. */
async function receive(
  receiver: Receiver,
  context: Context,
  { headers, editedFrom, bytes }: Pick<HookRequest, 'headers' | 'editedFrom'> & { bytes: Uint8Array },
): Promise<void> {
  try {
    const signature = await receiver.sign(headers, bytes)
    await receiver.receive({
      method: 'POST',
      path: undefined,
      headers: { ...headers, 'x-hub-signature-256': signature },
      address: clientAddress(context),
      native: [context.req.raw],
      editedFrom,
      body: () => ({ bytes }),
    })
  } catch (error) {
    if (!(error instanceof HookError)) throw error
    if (error.code === 'payload_too_large') throw new ProblemError('payload_too_large', error.message)
    const code = error.status < 500 ? 'invalid_request' : 'inbox_unavailable'
    throw new ProblemError(code, `It was not taken in: ${error.message}`)
  }
}

/** Real payloads to try handlers with. */
export const samples = (): Route[] => [
  route({
    method: 'get',
    path: '/samples',
    operationId: 'listSamples',
    summary: 'The events and actions that have sample payloads',
    answer: 'Samples',
    handle: () => ({ samples: counts() }),
  }),
  route({
    method: 'get',
    path: '/samples/{name}',
    operationId: 'getSamples',
    summary: 'The payloads of an event, or of one of its actions',
    answer: 'SamplePayloads',
    problems: [404],
    handle({ context }) {
      const name = context.req.param('name') ?? ''
      const found = samplesOf(name)
      if (found.length === 0) throw new ProblemError('not_found', `There is no sample of ${name}: see /api/samples`)
      return { samples: found }
    },
  }),
]

function counts(): SampleCount[] {
  return [...payloadsByEvent()].flatMap(([event, payloads]) => {
    const byAction = Map.groupBy(payloads, ({ action }) => action)
    return [...byAction].map(([action, { length }]) => ({ event, action, count: length }))
  })
}

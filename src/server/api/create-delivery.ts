import { createHash, randomUUID } from 'node:crypto'
import type { Context } from 'hono'
import type { Mountable } from '../../adapters/mount.ts'
import { HookError } from '../../errors.ts'
import type { HookRequest, Receiver } from '../../http.ts'
import { createdHeaders } from '../../http.ts'
import { type DeliverySummary, operatorSource, type Page } from '../../inbox/records.ts'
import { optionsOf } from '../../internals.ts'
import { isObject } from '../../runtime/json.ts'
import { Mutex } from '../../runtime/mutex.ts'
import { clientAddress } from '../client-address.ts'
import { ProblemError } from '../problem.ts'
import { logAction, record } from './audit.ts'
import { type ApiContext, assertParsedSize, noDelivery, type Route, route } from './route.ts'
import { type Output, reference } from './schemas/index.ts'
import { expectedJson } from './schemas/requests.ts'

/**
 * The maximum bytes of a request: 50 MiB for the member `text`, and 1 MiB for the other members. GitHub's largest
 * payload has 25 MiB. `text` may need twice as many bytes, with a backslash before each character of the payload.
 */
const maxBody = 51 * 2 ** 20

/**
 * Opens the receiver for deliveries that an operator creates. This receiver accepts every address, and the signatures
 * that the server itself creates. Without a secret, as in a worker, it checks no signatures.
 * @param receives Whether this mount makes the process count as a receiver. True for a process that polls GitHub.
 */
export function openLocalReceiver(hooks: Mountable, receives = false): Receiver {
  const unsigned = optionsOf(hooks).secret === undefined ? { validateSignature: false } : {}
  const accepted = { ...unsigned, signatureAlgorithms: ['sha256'], validateIp: false } as const
  return hooks.mount({ ...accepted, path: false, source: operatorSource }, { receives })
}

/**
 * Creates a delivery, or answers with the one that has the same GUID, event and body. The server receives it like a
 * delivery from GitHub, but without the origin check. If signature checks are on, the server signs the delivery first.
 */
export function createDelivery(api: ApiContext): Route {
  const { inbox, localReceiver } = api
  const mutex = new Mutex()
  return route({
    method: 'post',
    path: '/deliveries',
    operationId: 'createDelivery',
    summary: 'Create a delivery from your own payload or from an earlier delivery',
    body: 'NewDelivery',
    bodyRequired: true,
    maxBody,
    answer: 'Created',
    status: 201,
    responses: {
      200: {
        description: 'A delivery with this guid, event and body exists',
        content: { 'application/json': { schema: reference('Created') } },
      },
    },
    problems: [404, 409],
    handle: ({ context, body }) => {
      if (body.guid === undefined) return create(context, body, randomUUID())
      const { guid } = body
      // One request after the other, so that the second of two equal requests finds the delivery of the first.
      return mutex.run(async () => (await existing(inbox, guid, body, context)) ?? create(context, body, guid))
    },
  })

  async function create(context: Context, body: Output<'NewDelivery'>, guid: string): Promise<Output<'Created'>> {
    const { event, editedFrom } = body
    const bytes = bytesOf(body)
    const original = editedFrom === undefined ? undefined : await inbox.get(editedFrom)
    if (editedFrom !== undefined && !original) throw noDelivery(editedFrom)
    // A "secret" function may need the headers of the original delivery.
    const headers = { ...createdHeaders(original?.headers ?? {}, event, guid), 'user-agent': 'hookserver' }
    await receive(localReceiver, context, { headers, bytes, editedFrom })
    let id: number | undefined
    try {
      id = (await createdWith(inbox, guid))[0]?.id
    } finally {
      logAction(api, context, { act: 'send', what: { id, guid, event, editedFrom }, count: 1 })
      const deliveries = id === undefined ? [] : [id]
      await record(api, context, 'send', { target: { event }, count: 1, deliveries })
    }
    context.header('location', `/api/v1/deliveries/${id}`)
    return { id, guid }
  }
}

/**
 * The answer to a request whose delivery exists. `undefined` if no created delivery has the GUID.
 * @throws {ProblemError} if the GUID belongs to a delivery of another event, or with another body.
 */
async function existing(
  inbox: ApiContext['inbox'],
  guid: string,
  body: Output<'NewDelivery'>,
  context: Context,
): Promise<Response | undefined> {
  const known = await createdWith(inbox, guid)
  if (known.length === 0) return undefined
  const sha256 = createHash('sha256').update(bytesOf(body)).digest('hex')
  for (const { id, event } of known) {
    const isSame = event === body.event && (await inbox.get(id))?.sha256 === sha256
    if (isSame) return context.json({ id, guid }, 200)
  }
  const ids = known.map(({ id }) => id).join(', ')
  throw new ProblemError('conflict', `The guid belongs to delivery ${ids}, which has another event or another body`)
}

/** The deliveries with this GUID that operators created. */
async function createdWith(inbox: ApiContext['inbox'], guid: string): Promise<DeliverySummary[]> {
  const found: DeliverySummary[] = []
  let before: number | undefined
  do {
    const page: Page = await inbox.list({ guid, source: operatorSource, before })
    found.push(...page.deliveries)
    before = page.next
  } while (before !== undefined)
  return found
}

/**
 * The body of the delivery.
 * @throws {ProblemError} if the payload cannot be written as JSON, if the text is not a JSON object, or if the parsed
 *   text would need too much memory.
 */
function bytesOf({ payload, text }: Output<'NewDelivery'>): Uint8Array {
  if (text !== undefined) return verified(text)
  try {
    return new TextEncoder().encode(JSON.stringify(payload))
  } catch {
    throw ProblemError.because([{ name: 'payload', expected: 'an object with fewer nested levels' }])
  }
}

/** The bytes of the text as it is. They do not come from the parsed value, because parsing can change numbers. */
function verified(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text)
  assertParsedSize(bytes)
  try {
    if (text.isWellFormed() && isObject(JSON.parse(text))) return bytes
  } catch {
    // Falls through to the error below.
  }
  throw ProblemError.because([{ name: 'text', expected: expectedJson }])
}

/** @throws {ProblemError} that says why the delivery was not stored. */
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
    throw new ProblemError(code, `The delivery was not stored: ${error.message}`)
  }
}

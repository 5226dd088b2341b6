import { randomUUID } from 'node:crypto'
import type { Context } from 'hono'
import type { Mountable } from '../../adapters/mount.ts'
import { HookError } from '../../errors.ts'
import type { HookRequest, Receiver } from '../../http.ts'
import type { HooksOptions } from '../../options.ts'
import { isObject } from '../../runtime/json.ts'
import { clientAddress } from '../client-address.ts'
import { type Fault, Unanswerable } from '../problem.ts'
import { noDelivery } from './deliveries.ts'
import { assertFits, readJson } from './json-body.ts'
import { audit, type Operated } from './operated.ts'
import type { Route } from './route.ts'
import { answer, body, problems } from './schemas.ts'
import { eventName } from './values.ts'

/** Bytes of a request: a payload of 25 MiB, GitHub's largest, in which each may be escaped, and what stands around it. */
const longest = 51 * 2 ** 20

/** What an operator has made, of a sample or of a delivery that came. */
interface Composed {
  event: string
  bytes: Uint8Array
  editedFrom: number | undefined
}

/**
 * Takes in what an operator sends: as the server does what GitHub sends, but from wherever it comes.
 * @param receives Whether the process also takes in what GitHub sends, by a way that `hooks` does not know of.
 */
export const openDesk = (hooks: Mountable, options: HooksOptions, receives = false): Receiver =>
  hooks.mount({ ...options, work: false, validateIp: false, url: false, source: 'dashboard' }, { receives })

/** A delivery that an operator makes. It is signed here, and goes the way of all others but for its origin. */
export function composing(operated: Operated): Route {
  const { inbox } = operated
  return {
    method: 'post',
    path: '/deliveries',
    operation: {
      operationId: 'createDelivery',
      summary: 'Make a delivery, of a payload of your own or of one that came before',
      requestBody: body('Composed', true),
      responses: { 201: answer('Created'), ...problems(400, 404, 413, 415) },
    },
    async answer(context) {
      const composed = composedIn(await readJson(context, ['event', 'payload', 'text', 'editedFrom'], longest))
      const guid = randomUUID()
      const { editedFrom } = composed
      const original = editedFrom === undefined ? undefined : await inbox.get(editedFrom)
      if (editedFrom !== undefined && !original) throw noDelivery(editedFrom)
      const headers = { ...original?.headers, ...headersOf(composed, guid) }
      await receive(operated.desk, { context, headers, composed })
      const id = (await inbox.list({ guid, limit: 1 })).deliveries[0]?.id
      audit(operated, context, { act: 'send', what: { id, guid, event: composed.event, editedFrom }, count: 1 })
      return context.json({ id, guid }, 201, { location: `/api/deliveries/${id}` })
    },
  }
}

/** @throws {Unanswerable} naming all that is wrong. */
function composedIn({ event, payload, text, editedFrom }: Readonly<Record<string, unknown>>): Composed {
  const isId = Number.isSafeInteger(editedFrom) && (editedFrom as number) > 0
  const written = text === undefined ? writtenOf(payload) : writtenAs(text, payload)
  const faults = [
    ...(eventName.read(event) === undefined ? [{ name: 'event', expected: eventName.expected }] : []),
    ...(typeof written === 'string' ? [] : [written]),
    ...(editedFrom === undefined || isId ? [] : [{ name: 'editedFrom', expected: 'the id of a delivery' }]),
  ]
  if (faults.length > 0) throw Unanswerable.because(faults)
  return { event, bytes: new TextEncoder().encode(String(written)), editedFrom } as Composed
}

/** The text of a payload, or what is wrong with it. */
function writtenOf(payload: unknown): string | Fault {
  if (!isObject(payload)) return { name: 'payload', expected: 'an object' }
  try {
    return JSON.stringify(payload)
  } catch {
    return { name: 'payload', expected: 'an object that is not nested so deeply' }
  }
}

/** The same of one as somebody wrote it: parsed and written anew, its numbers could be others. */
function writtenAs(text: unknown, payload: unknown): string | Fault {
  if (payload !== undefined) return { name: 'payload, text', expected: 'one of the two' }
  if (typeof text === 'string') assertFits(new TextEncoder().encode(text))
  try {
    if (typeof text === 'string' && text.isWellFormed() && isObject(JSON.parse(text))) return text
  } catch {
    // as told below
  }
  return { name: 'text', expected: 'the JSON of an object, of whole characters' }
}

/** Those of the original stay, which a secret may be looked up by; but not what was said of its bytes and its sender. */
const headersOf = ({ event }: Composed, guid: string): HookRequest['headers'] => ({
  ...Object.fromEntries(ofTheBytes.map((name) => [name, undefined])),
  'content-type': 'application/json',
  'user-agent': 'hookserver',
  'x-github-event': event,
  'x-github-delivery': guid,
})

const ofTheBytes = [
  ...['content-length', 'content-encoding', 'transfer-encoding', 'connection', 'expect'],
  ...['x-hub-signature', 'x-hub-signature-256', 'authorization', 'proxy-authorization', 'cookie'],
]

/** @throws {Unanswerable} for what keeps it from being stored. */
async function receive(
  desk: Receiver,
  given: { context: Context; headers: HookRequest['headers']; composed: Composed },
): Promise<void> {
  const { context, composed } = given
  const { bytes, editedFrom } = composed
  try {
    const signature = await desk.sign(given.headers, bytes)
    const headers = { ...given.headers, 'x-hub-signature-256': signature }
    const address = clientAddress(context)
    const native = [context.req.raw] as const
    await desk.receive({
      method: 'POST',
      path: undefined,
      headers,
      address,
      native,
      editedFrom,
      body: () => ({ bytes }),
    })
  } catch (error) {
    if (!(error instanceof HookError)) throw error
    if (error.code === 'payload_too_large') throw new Unanswerable('payload_too_large', error.message)
    const code = error.status < 500 ? 'invalid_request' : 'inbox_unavailable'
    throw new Unanswerable(code, `It was not taken in: ${error.message}`)
  }
}

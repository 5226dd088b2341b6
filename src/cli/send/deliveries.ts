import { randomUUID } from 'node:crypto'
import { splitName } from '../../events.ts'
import { signedRequest } from '../../samples/signed-request.ts'
import { UsageError } from '../errors.ts'
import { chooseSamples, isAll, nameOf } from './choosing.ts'
import type { WrittenPayload } from './payload-file.ts'
import type { Outgoing } from './sender.ts'
import { type Change, setPath } from './set-path.ts'

/** A payload that is about to be sent, as the bytes that it will be. */
export interface Prepared {
  name: string
  text: string
}

/** What to send: a written payload, or the samples of a name; changed as asked. @throws {UsageError} */
export function prepare(name: string, written: WrittenPayload | undefined, changes: readonly Change[]): Prepared[] {
  if (written) return [prepareWritten(name, written, changes)]
  return chooseSamples(name).map(({ event, action, payload }) => {
    for (const change of changes) setPath(payload, change)
    return { name: nameOf({ event, action }), text: JSON.stringify(payload) }
  })
}

function prepareWritten(name: string, { text, payload }: WrittenPayload, changes: readonly Change[]): Prepared {
  const [event, action] = splitName(name)
  if (isAll(name)) throw new UsageError('--file holds one payload: name the event that it is of')
  if (!/^\w+$/.test(event)) throw new UsageError(`"${event}" is no name of an event`)
  for (const change of changes) setPath(payload, change)
  if (action !== undefined && payload.action !== action) {
    throw new UsageError(`The payload's action is not "${action}": leave it out, or add --set action=${action}`)
  }
  return { name, text: changes.length > 0 ? JSON.stringify(payload) : text }
}

export interface Wrapping {
  /** `undefined` where nothing is to be signed. */
  secret: string | undefined
  form: boolean
  tamper: boolean
}

/** Signs once what is sent many times: the signature is over the body alone, so that each can have its own GUID. */
export function wrap({ name, text }: Prepared, { secret, form, tamper }: Wrapping): Outgoing {
  const { headers, body } = signedRequest(name, { payload: text, form, ...(secret !== undefined && { secret }) })
  if (!tamper) return outgoing(headers, body)
  // A member more, and not only white space: a receiver that signs what it parsed must be caught by it, too.
  const payload = { ...JSON.parse(text), tampered: true }
  return outgoing(headers, signedRequest(name, { payload, form }).body)
}

function outgoing(headers: Record<string, string>, text: string): Outgoing {
  const body = Buffer.from(text) // once, and not for each request
  return { headers: { ...headers, 'content-length': String(body.length) }, body }
}

/** Goes round `requests` until there were `count` deliveries, each `times` times with the same GUID. */
export function* deliver(
  requests: readonly Outgoing[],
  { count, times, guid }: { count: number; times: number; guid: string | undefined },
): Generator<Outgoing> {
  for (let sent = 0; sent < count; sent++) {
    const { headers, body } = requests[sent % requests.length] as Outgoing
    const request = { headers: { ...headers, 'x-github-delivery': guid ?? randomUUID() }, body }
    for (let time = 0; time < times; time++) yield request
  }
}

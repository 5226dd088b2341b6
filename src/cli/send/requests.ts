import { randomUUID } from 'node:crypto'
import { isKnownName, splitName } from '../../events.ts'
import { nearestFirst, suggestion } from '../../runtime/nearest.ts'
import { type Sample, sampleNames, samples } from '../../samples/index.ts'
import { signedRequest } from '../../samples/signed-request.ts'
import { invalidValue, UsageError } from '../flags.ts'
import { eventName } from '../output.ts'
import { applyChange, type Change, type FilePayload } from './payload.ts'
import type { Outgoing } from './sender.ts'

export const isAll = (name: string): boolean => name === '*' || name === 'all'

/** The samples of `event` or `event.action`, or all samples. @throws {UsageError} that says which there are. */
export function chooseSamples(name: string): Sample[] {
  const found = samples(isAll(name) ? undefined : name)
  if (found.length > 0) return found
  const [event, action] = splitName(name)
  const siblings = [...new Set(samples(event).map(eventName))]
  const isSent = isKnownName(name) ? ' GitHub does send it: pass a payload with --file' : ''
  if (siblings.length === 0) {
    const cure = isSent ? `${isSent}.` : suggestion(name, sampleNames())
    throw new UsageError(
      `There is no sample of the event "${event}".${cure} "hookserver send --list" lists all samples`,
    )
  }
  const change = `, or change another sample, as in "send ${siblings[0]} --set action=${action}".`
  const cure = isSent && `${isSent}${change}`
  const available = nearestFirst(name, siblings).join(', ')
  throw new UsageError(
    `There is no sample of ${event} with the action "${action}".${cure} Available samples: ${available}`,
  )
}

/** A payload as text, and the event name to send it with. */
interface NamedPayload {
  name: string
  text: string
}

interface PayloadOptions {
  file: FilePayload | undefined
  changes: readonly Change[]
  /** The number of the only sample to send, counted from 1. */
  number: number | undefined
}

/** The payload of a file, or the samples of a name, with all changes applied. @throws {UsageError} */
export function preparePayloads(name: string, { file, changes, number }: PayloadOptions): NamedPayload[] {
  if (file) return [prepareFile(name, file, changes)]
  const found = chooseSamples(name)
  const chosen = number === undefined ? found : found.slice(number - 1, number)
  if (chosen.length === 0) {
    throw new UsageError(`--sample: expected a number from 1 to ${found.length}, the number of samples of ${name}`)
  }
  return chosen.map(({ event, action, payload }) => {
    for (const change of changes) applyChange(payload, change)
    return { name: eventName({ event, action }), text: JSON.stringify(payload) }
  })
}

function prepareFile(name: string, { text, payload }: FilePayload, changes: readonly Change[]): NamedPayload {
  const [event, action] = splitName(name)
  if (isAll(name)) throw new UsageError('--file contains one payload: name its event')
  if (!/^\w+$/.test(event)) throw new UsageError(`"${event}" is not an event name`)
  for (const change of changes) applyChange(payload, change)
  if (action !== undefined && payload.action !== action) {
    throw new UsageError(
      `The action in the payload is not "${action}": leave out the action, or add --set action=${action}`,
    )
  }
  return { name, text: changes.length > 0 ? JSON.stringify(payload) : text }
}

interface SignOptions {
  /** `undefined` for no signature. */
  secret: string | undefined
  form: boolean
  tamper: boolean
  /** Headers to add or replace. */
  headers: Readonly<Record<string, string>>
}

/** Signs a payload. The request can be sent several times, because the signature does not cover the GUID. */
export function signRequest({ name, text }: NamedPayload, { secret, form, tamper, headers }: SignOptions): Outgoing {
  const signed = signedRequest(name, { payload: text, form, headers, ...(secret !== undefined && { secret }) })
  // Adds a member, because a receiver that wrongly verifies the parsed payload would not notice changed white space.
  const sent = tamper ? signedRequest(name, { payload: { ...JSON.parse(text), tampered: true }, form }) : signed
  const body = Buffer.from(sent.body)
  return { headers: { ...signed.headers, 'content-length': String(body.length) }, body }
}

/** A `--header 'Name: value'`. The name is in lower case. @throws {UsageError} that does not repeat the value. */
export function parseHeader(text: string): [name: string, value: string] {
  const [, given = '', value = ''] = /^([\w!#$%&'*+.^`|~-]+):[\t ]*([\t\x20-\x7e]*)$/.exec(text) ?? []
  const name = given.toLowerCase()
  if (name === '') throw new UsageError("--header takes 'Name: value' in ASCII, such as 'X-Real-IP: 127.0.0.1'")
  if (name === 'x-github-delivery') throw new UsageError(`--header cannot set ${given}: use --guid`)
  if (name === 'content-length') throw new UsageError(`--header cannot set ${given}: the command computes it`)
  return [name, value]
}

/** A GUID that is valid in a header; it need not look like GitHub's. @throws {UsageError} */
export function parseGuid(text: string): string {
  if (/^[\x21-\x7e]+$/.test(text)) return text
  throw invalidValue('--guid', 'visible ASCII characters without white space', text)
}

/** Yields `count` deliveries, repeating the requests. Yields each delivery `times` times, with the same GUID. */
export function* deliveriesOf(
  requests: readonly Outgoing[],
  { count, times, guid }: { count: number; times: number; guid: string | undefined },
): Generator<Outgoing> {
  for (let sent = 0; sent < count; sent++) {
    const { headers, body } = requests[sent % requests.length] as Outgoing
    const request = { headers: { ...headers, 'x-github-delivery': guid ?? randomUUID() }, body }
    for (let time = 0; time < times; time++) yield request
  }
}

/** @throws {UsageError} whose message does not repeat `text`, because a URL may contain a password. */
export function parseUrl(text: string): URL {
  const url = URL.parse(text)
  if (url && ['http:', 'https:'].includes(url.protocol)) return url
  throw new UsageError('--to: expected a URL such as http://127.0.0.1:8000/hooks')
}

/** Requests per second, possibly a fraction. @throws {UsageError} */
export function parseRate(text: string): number {
  const number = Number(text)
  if (/^\d+(\.\d+)?$/.test(text) && number >= 0.001 && number <= 100_000) return number
  throw invalidValue('--rate', 'a number of requests per second from 0.001 to 100000', text)
}

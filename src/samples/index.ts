import { readFileSync } from 'node:fs'
import { brotliDecompressSync } from 'node:zlib'
import type { CheckedName } from '../checked-names.ts'
import { type AnyEventName, isKnownName, type PayloadOf, splitName } from '../events.ts'
import { suggestion } from '../runtime/nearest.ts'

/** One real payload with its event. */
export interface Sample {
  /** Without the action. */
  event: string
  /** `undefined` for an event without actions. */
  action: string | undefined
  /** The payload that `hookserver send` sends. */
  payload: SamplePayload
}

/** All samples, or those of `event` or `event.action`; the payloads are copies. */
export function samples(name?: string): Sample[] {
  const [event, action] = name === undefined ? [] : splitName(name)
  const payloads = event === undefined ? [...payloadsByEvent()] : [[event, payloadsByEvent().get(event) ?? []] as const]
  return payloads.flatMap(([of, list]) => {
    const wanted = action === undefined ? list : list.filter((payload) => payload.action === action)
    return wanted.map((payload) => ({ event: of, action: payload.action, payload: structuredClone(payload) }))
  })
}

/**
 * A copy of a real payload of `event` or `event.action`.
 * @param index Which one, if there are several. Default: 0.
 * @throws {RangeError} if there is none. The message suggests a similar name, and lists the names of the event's
 *   samples. If the event has no samples, it lists the events that have samples.
 */
export function sample<const Name extends AnyEventName>(name: CheckedName<Name>, index?: number): PayloadOf<Name>
export function sample(name: string, index: number = 0): unknown {
  const found = samples(name)[index]
  if (!found) throw new RangeError(`There is no sample ${index} of "${name}".${cureFor(name)}`)
  return found.payload
}

function cureFor(name: string): string {
  const available = [...new Set(samples(splitName(name)[0]).map(nameOf))].join(', ')
  if (samples(name).length > 0) return ` Available: ${available}`
  const cure = isKnownName(name) ? ' GitHub does send it: use a payload of your own.' : suggestion(name, sampleNames())
  return `${cure} Available: ${available || [...payloadsByEvent().keys()].join(', ')}`
}

/** Every name that has a sample: events, and events with their actions. */
export const sampleNames = (): string[] => [...new Set(samples().flatMap((one) => [one.event, nameOf(one)]))]

const nameOf = ({ event, action }: Sample): string => (action === undefined ? event : `${event}.${action}`)

/** A payload of any event. */
export type SamplePayload = Record<string, unknown> & { action?: string }

let loaded: Map<string, readonly SamplePayload[]> | undefined

/** Real payloads by event, from `@octokit/webhooks-examples`. They are read on first use. */
export function payloadsByEvent(): Map<string, readonly SamplePayload[]> {
  if (!loaded) {
    const packed = readFileSync(new URL('../samples/payloads.json.br', import.meta.url))
    loaded = new Map(Object.entries(JSON.parse(brotliDecompressSync(packed).toString())))
  }
  return loaded
}

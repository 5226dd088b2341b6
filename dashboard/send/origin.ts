/** What a delivery can be made of. */
import type { DeliveryDetail, Sample } from '../../src/server/api/schemas/responses.ts'
import { get, getBytes } from '../api/client.ts'
import { indented } from './spacing.ts'

export interface Original {
  event: string
  /** The payload, as JSON that can be read. */
  text: string
}

/** The payloads that there are of an event, or of one of its actions. */
export async function samplesOf(name: string, signal: AbortSignal): Promise<Original[]> {
  const { samples } = await get<{ samples: Sample[] }>(`samples/${encodeURIComponent(name)}`, {}, signal)
  return samples.map(({ event, payload }) => ({ event, text: JSON.stringify(payload, undefined, 2) }))
}

/** The payload of a delivery. What is no JSON is given as it came, for somebody to mend. */
export async function originalOf(id: string, signal: AbortSignal): Promise<Original[]> {
  const [{ event, form }, bytes] = await Promise.all([
    get<DeliveryDetail>(`deliveries/${id}`, {}, signal),
    getBytes(`deliveries/${id}/body`, signal),
  ])
  const body = new TextDecoder().decode(bytes)
  const text = form === 'form' ? (new URLSearchParams(body).get('payload') ?? '') : body
  try {
    JSON.parse(text)
  } catch {
    return [{ event, text }]
  }
  return [{ event, text: indented(text) }]
}

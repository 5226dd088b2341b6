/** The sources of a new delivery's payload. */
import type { DeliveryDetail, Sample } from '../../src/server/api/schemas/responses.ts'
import { get, getBytes } from '../api/client.ts'
import { formatJson } from './json-format.ts'

interface PayloadSource {
  event: string
  /** The payload, as formatted JSON. */
  text: string
}

/** The sample payloads of an event, or of one of its actions. */
export async function samplesOf(name: string, signal: AbortSignal): Promise<PayloadSource[]> {
  const { samples } = await get<{ samples: Sample[] }>(`samples/${encodeURIComponent(name)}`, {}, signal)
  return samples.map(({ event, payload }) => ({ event, text: JSON.stringify(payload, undefined, 2) }))
}

/** The payload of a delivery. A payload that is not JSON is returned unchanged, so that the operator can correct it. */
export async function sourceOf(id: string, signal: AbortSignal): Promise<PayloadSource[]> {
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
  return [{ event, text: formatJson(text) }]
}

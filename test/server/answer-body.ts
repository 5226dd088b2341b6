import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { buffer } from 'node:stream/consumers'

/** All of an answer's body; of a stream of events, which has no end, what comes first. */
export async function bodyOf(response: IncomingMessage, method: string): Promise<Buffer> {
  if (method !== 'GET' || response.headers['content-type'] !== 'text/event-stream') return buffer(response)
  const [chunk] = await once(response, 'data')
  response.destroy()
  return chunk
}

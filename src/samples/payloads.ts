import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

export type SamplePayload = Record<string, unknown> & { action?: string }

let loaded: Map<string, readonly SamplePayload[]> | undefined

/** Real payloads by event, as GitHub's users contributed them to `@octokit/webhooks-examples`; read on first use. */
export function payloadsByEvent(): Map<string, readonly SamplePayload[]> {
  if (!loaded) {
    const packed = readFileSync(new URL('./payloads.json.gz', import.meta.url))
    loaded = new Map(Object.entries(JSON.parse(gunzipSync(packed).toString())))
  }
  return loaded
}

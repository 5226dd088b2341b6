/**
 * Gives each request a GUID of its own. The load generator sends the same GUID with every request, so all but the first
 * would be duplicates. The server replaces the GUID, because generating requests that differ would cost the load
 * generator more than the measured work. Like GitHub's GUIDs, these are UUIDs of version 1, which count steps of 100
 * ns.
 */
import { subscribe } from 'node:diagnostics_channel'
import type { IncomingMessage } from 'node:http'

/** Milliseconds from the start of the Gregorian calendar, which UUIDs count from, to 1970. */
const epoch = 12_219_292_800_000n
const started = (BigInt(Date.now()) + epoch) * 10_000n
let count = 0

subscribe('http.server.request.start', (message) => {
  const { headers } = (message as { request: IncomingMessage }).request
  headers['x-github-delivery'] = nextGuid()
})

function nextGuid(): string {
  const time = (started + BigInt(count++)).toString(16).padStart(15, '0')
  return `${time.slice(7)}-${time.slice(3, 7)}-1${time.slice(0, 3)}-8000-${node}`
}
const node = process.pid.toString(16).padStart(12, '0')

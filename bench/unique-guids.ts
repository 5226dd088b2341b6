/**
 * Every request of a load has the same GUID, and a second copy would be a duplicate: so each gets one of its own, in the
 * server, since making it in the client would cost more than the measured work.
 */
import { subscribe } from 'node:diagnostics_channel'
import type { IncomingMessage } from 'node:http'

const run = process.hrtime.bigint().toString(36)
let count = 0

subscribe('http.server.request.start', (message) => {
  const { headers } = (message as { request: IncomingMessage }).request
  headers['x-github-delivery'] = `${run}-${count++}`
})

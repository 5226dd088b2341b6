import type { RequestListener } from 'node:http'
import { pathOf } from '../adapters/incoming.ts'
import { mounted } from '../adapters/mount.ts'
import { hookserver } from '../adapters/node.ts'
import type { Receiver } from '../http.ts'
import type { Metrics } from './metrics.ts'

/** What GitHub sees: deliveries, and whether somebody is there. */
export function publicListener(receiver: Receiver, metrics: Metrics): RequestListener {
  const receive = hookserver(mounted(receiver))
  return (request, response) => {
    if (['GET', 'HEAD'].includes(request.method ?? '') && pathOf(request.url) === '/healthz') {
      response.writeHead(200, { 'content-type': 'text/plain' }).end('ok')
      return
    }
    const arrived = performance.now()
    response.once('close', () => metrics.answered(response.statusCode, performance.now() - arrived))
    void receive(request, response)
  }
}

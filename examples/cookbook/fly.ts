/** The handlers of an app of Fly. docs/cookbook/render-and-fly.md explains it. */
import type { IncomingMessage } from 'node:http'
import { Hooks } from 'hookserver'

const hooks = new Hooks({
  // The proxy of Fly sets this header to the address of its client.
  clientAddress: (request) => (request as IncomingMessage).headers['fly-client-ip'] as string | undefined,
})
hooks.on('push', { name: 'deploy' }, ({ payload, log }) => log.info({ sha: payload.after }, 'Deploying'))

export default hooks

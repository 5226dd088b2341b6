import { createServer } from 'node:http'
import { hookserver } from '../../../src/adapters/lambda.ts'
import type { Application } from '../host.ts'
import { eventShapes, gateway } from '../lambda-events.ts'

export const lambdaApplications: readonly Application[] = Object.entries(eventShapes).map(([service, shape]) => ({
  title: `Lambda behind ${service}`,
  start(mounts) {
    const handlers = new Map(mounts.map(({ hooks, options }) => [options.path, hookserver(hooks, options)]))
    const fallback = handlers.get('/contract/plain') as ReturnType<typeof hookserver>
    return createServer(gateway((path) => handlers.get(path) ?? fallback, shape))
  },
  // Cases with `about: 'streaming'` need a server that calls hookserver before the body of the request is complete.
  // Cases with `about: 'consuming'` need other software that reads the body before hookserver does. Lambda has
  // neither, so these cases are left out.
  // The case `response` expects a response with two cookies. Behind a load balancer without multi-value headers,
  // hookserver can send only one cookie, so the case is left out there.
  applies: ({ id, about }) => about === undefined && !(id === 'response' && service === 'a load balancer'),
  samples: service === 'API Gateway v1' || service === 'a Function URL', // the one sends base64, the other text
}))

import { version } from '../../runtime/platform.ts'
import { type Route, route } from './route.ts'
import { jsonSchemas, problemResponses } from './schemas/index.ts'

/**
 * The description of the API as OpenAPI 3.1, for programs.
 * @param routes All routes, this one included. They are read when the description is requested.
 */
export const openapi = (routes: readonly Route[]): Route =>
  route({
    method: 'get',
    path: '/openapi.json',
    operationId: 'getDescription',
    summary: 'This description',
    answer: 'Description',
    handle: () => describe(routes),
  })

function describe(routes: readonly Route[]): Record<string, unknown> {
  const paths: Record<string, Record<string, object>> = {}
  for (const { method, path, open, operation } of routes) {
    const responses = { ...operation.responses, ...problemResponses(401, 403, 429, 503) }
    paths[`/api${path}`] = {
      ...paths[`/api${path}`],
      [method]: { ...operation, responses, ...(open && { security: [] }) },
    }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'hookserver', version, description: 'The deliveries that hookserver received, and their handlers.' },
    security: [{ token: [] }, { session: [] }],
    paths,
    components: {
      schemas: jsonSchemas(),
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer' },
        session: { type: 'apiKey', in: 'cookie', name: 'hookserver-8001', description: 'Named after the port' },
      },
    },
  }
}

import { version } from '../../runtime/platform.ts'
import { type Route, route } from './route.ts'
import { jsonSchemas, problemResponses } from './schemas/index.ts'

/** The description of the API in OpenAPI 3.1. @param routes All routes, read when a client requests the description. */
export const openapi = (routes: readonly Route[]): Route =>
  route({
    method: 'get',
    path: '/openapi.json',
    operationId: 'getDescription',
    summary: 'Get this description',
    answer: 'Description',
    handle: () => describe(routes),
  })

const description =
  'Deliveries that hookserver received, and their handlers. Later versions of hookserver may add paths, parameters, ' +
  'members and values of enums to this version of the API. Clients must ignore members and values that they do not know.'

function describe(routes: readonly Route[]): Record<string, unknown> {
  const paths: Record<string, Record<string, object>> = {}
  for (const { method, path, open, operation } of routes) {
    const responses = { ...operation.responses, ...problemResponses(401, 403, 429, 503) }
    paths[`/api/v1${path}`] = {
      ...paths[`/api/v1${path}`],
      [method]: { ...operation, responses, ...(open && { security: [] }) },
    }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'hookserver', version, description },
    security: [{ token: [] }, { session: [] }],
    paths,
    components: {
      schemas: jsonSchemas(),
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer' },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: 'hookserver-8001',
          description: 'The name ends with the port in the Host header, or with "http" if the header has no port',
        },
      },
    },
  }
}

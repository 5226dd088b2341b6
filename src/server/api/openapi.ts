import { version } from '../../runtime/platform.ts'
import type { Route } from './route.ts'
import { answer, problems, schemas } from './schemas.ts'

/**
 * The description of the API, for programs: OpenAPI 3.1.
 * @param routes All of them, this one included: they are looked at when somebody asks.
 */
export function openapi(routes: readonly Route[]): Route {
  return {
    method: 'get',
    path: '/openapi.json',
    operation: {
      operationId: 'getDescription',
      summary: 'This description',
      responses: { 200: answer('Description') },
    },
    answer: (context) => context.json(describe(routes)),
  }
}

function describe(routes: readonly Route[]): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const { method, path, open, operation } of routes) {
    const responses = { ...operation.responses, ...problems(401, 403, 429, 503) }
    paths[`/api${path}`] = {
      ...paths[`/api${path}`],
      [method]: { ...operation, responses, ...(open && { security: [] }) },
    }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'hookserver', version, description: 'What hookserver received, and what became of it.' },
    security: [{ token: [] }, { session: [] }],
    paths,
    components: {
      schemas,
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer' },
        session: { type: 'apiKey', in: 'cookie', name: 'hookserver-8001', description: 'Named after the port' },
      },
    },
  }
}

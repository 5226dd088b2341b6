import type { Operated } from './operated.ts'
import type { Route } from './route.ts'
import { answer } from './schemas.ts'

/** The requests that were refused. */
export function refused({ inbox }: Operated): Route {
  return {
    method: 'get',
    path: '/refused',
    operation: {
      operationId: 'listRefused',
      summary: 'The newest requests that were refused, and how many there ever were, by code',
      responses: { 200: answer('Refusals') },
    },
    answer: async (context) => context.json(await inbox.rejections()),
  }
}

import type { Operated } from './operated.ts'
import type { Route } from './route.ts'
import { answer } from './schemas.ts'

/** The processes that share the inbox. */
export function processes({ inbox }: Operated): Route {
  return {
    method: 'get',
    path: '/processes',
    operation: {
      operationId: 'listProcesses',
      summary: 'The processes that share the inbox, in the order in which they started',
      responses: { 200: answer('Processes') },
    },
    answer: async (context) => context.json({ processes: await inbox.processes() }),
  }
}

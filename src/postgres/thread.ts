/** The program of both threads of the PostgreSQL inbox. */
import { workerData } from 'node:worker_threads'
import { serveThread } from '../runtime/thread-server.ts'
import { createServer } from './thread-roles.ts'

const server = await createServer(workerData)
serveThread<unknown>({
  execute: (calls) => server.execute(calls),
  sendEvents: (send) => server.sendEvents?.(send),
  async close() {
    await server.close()
    process.exit() // ends this thread only
  },
})

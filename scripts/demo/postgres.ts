/**
 * A child process that runs PostgreSQL for the demo. When its parent disconnects or ends, the child process stops
 * PostgreSQL and deletes the files.
 */
import { startPostgres } from '../../test/postgres/server.ts'

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {}) // the parent decides when to stop
const disconnected = new Promise<unknown>((resolve) => process.once('disconnect', resolve))
const server = await startPostgres()
if (process.connected) process.send?.(server.url)
await disconnected
await server.stop()
process.exit()

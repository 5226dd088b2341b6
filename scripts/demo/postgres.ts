/**
 * A PostgreSQL for the demo, as a process of its own: it ends, and deletes what it held, when whoever started it has
 * ended, however that was.
 */
import { startPostgres } from '../../test/postgres/server.ts'

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {}) // its parent's affair
const gone = new Promise<unknown>((resolve) => process.once('disconnect', resolve))
const server = await startPostgres()
if (process.connected) process.send?.(server.url)
await gone
await server.stop()
process.exit()

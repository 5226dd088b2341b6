import { join } from 'node:path'
import type { Store } from '../../src/inbox/inbox.ts'
import type { PostgresOptions, postgres } from '../../src/postgres/index.ts'
import { startDoomedWorker } from '../../src/testing/inbox-contract/doomed-worker.ts'
import type { InboxContractHost } from '../../src/testing/inbox-contract/index.ts'
import type { Schemas } from './schemas.ts'

/**
 * Dead workers are detected soon, but the heartbeats of live ones arrive in time on a busy machine. A connection may take
 * long there.
 */
const soon: PostgresOptions = { heartbeat: 800, vanishAfter: '1ms', connections: 4, connectTimeout: 60_000 }

/** The options of each inbox that the tests of the inbox contract open, here and in `doomed-worker.ts`. */
export const contractOptions = (schema: string): PostgresOptions => ({ ...soon, schema })

const doomed = join(import.meta.dirname, 'doomed-worker.ts')

/** Creates stores in schemas of one database. `clean` closes their inboxes. */
export function postgresHost(
  url: string,
  schemas: Schemas,
  openDatabase: typeof postgres,
): InboxContractHost & { clean(): Promise<void> } {
  const inboxes: Store[] = []
  const reusable = new Set<string>()
  return {
    async create() {
      const schema = await schemas.take()
      reusable.add(schema)
      return {
        async open() {
          const inbox = openDatabase(url, contractOptions(schema))
          inboxes.push(inbox)
          return inbox
        },
        startWorker(work) {
          reusable.delete(schema) // a transaction of the killed process may end later
          return startDoomedWorker(process.execPath, [doomed, url, schema, JSON.stringify(work)])
        },
      }
    },
    async clean() {
      await Promise.all(inboxes.map((inbox) => inbox.close()))
      for (const schema of reusable) schemas.giveBack(schema)
    },
  }
}

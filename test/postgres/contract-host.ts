import { join } from 'node:path'
import { type PostgresOptions, postgres } from '../../dist/postgres/index.js'
import type { Inbox } from '../../src/inbox/inbox.ts'
import { type InboxContractHost, startDoomedWorker } from '../../src/testing/inbox-contract/index.ts'

/** Short, so that dead workers are detected soon, but long enough for the heartbeats of live ones on a busy machine. */
const soon: PostgresOptions = { heartbeat: 800, vanishAfter: 1, connections: 4 }

/** The options of a store of the contract. */
export const contractOptions = (schema: string): PostgresOptions => ({ ...soon, schema })

const doomed = join(import.meta.dirname, 'doomed-worker.ts')

let stores = 0

/** Creates stores in schemas of one database. `clean` closes their inboxes. */
export function postgresHost(url: string): InboxContractHost & { clean(): Promise<void> } {
  const inboxes: Inbox[] = []
  return {
    async create() {
      const schema = `contract_${++stores}`
      return {
        async open() {
          const inbox = postgres(url, contractOptions(schema))
          inboxes.push(inbox)
          return inbox
        },
        startWorker: (work) => startDoomedWorker(process.execPath, [doomed, url, schema, JSON.stringify(work)]),
      }
    },
    async clean() {
      await Promise.all(inboxes.map((inbox) => inbox.close()))
    },
  }
}

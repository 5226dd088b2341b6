import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Store } from '../../src/inbox/inbox.ts'
import type { SqliteOptions, sqlite } from '../../src/sqlite/index.ts'
import { startDoomedWorker } from '../../src/testing/inbox-contract/doomed-worker.ts'
import type { InboxContractHost } from '../../src/testing/inbox-contract/index.ts'

/**
 * Dead workers are detected after five heartbeats. That is soon, but longer than a process on a busy machine needs to
 * send its first heartbeat.
 */
export const contractOptions: SqliteOptions = { heartbeat: 1000, vanishAfter: '1ms' }

const doomed = join(import.meta.dirname, 'doomed-worker.ts')

/** Creates stores in files. `clean` closes their inboxes and deletes the files. */
export function sqliteHost(openFile: typeof sqlite): InboxContractHost & { clean(): Promise<void> } {
  const folders: string[] = []
  const inboxes: Store[] = []
  return {
    async create() {
      const folder = mkdtempSync(join(tmpdir(), 'hookserver-contract-'))
      folders.push(folder)
      const path = join(folder, 'inbox.db')
      return {
        async open() {
          const inbox = openFile(path, contractOptions)
          inboxes.push(inbox)
          return inbox
        },
        startWorker: (work) => startDoomedWorker(process.execPath, [doomed, path, JSON.stringify(work)]),
      }
    },
    async clean() {
      await Promise.all(inboxes.map((inbox) => inbox.close()))
      for (const folder of folders) rmSync(folder, { recursive: true })
    },
  }
}

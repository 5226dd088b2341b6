/** The program of both threads of the PostgreSQL inbox. */
import { workerData } from 'node:worker_threads'
import { heapLimit, parsedSizeLimit } from '../inbox/parsed-size.ts'
import { matchPayload } from '../inbox/query/payload-search.ts'
import { executeEach, serveThread } from '../runtime/thread-server.ts'
import { Unpacker } from './contents.ts'
import type { MaintenanceCalls, SearchCalls, ThreadData } from './threads.ts'

const data = workerData as ThreadData

if (data.role === 'search') {
  const limit = parsedSizeLimit(heapLimit())
  const calls: SearchCalls = {
    matches: (contents, paths) => {
      const unpacker = new Unpacker()
      return contents.map((one) => {
        return matchPayload({ form: one.form, body: () => unpacker.unpack(one).body }, paths, limit)
      })
    },
  }
  serveThread<SearchCalls>({ execute: (batch) => executeEach(calls, batch), close: () => undefined })
} else {
  const { Maintenance } = await import('./maintenance.ts') // with pg-boss, which the search thread does not need
  const maintenance = new Maintenance(data.target, data.settings)
  serveThread<MaintenanceCalls>({
    execute: (batch) => executeEach(maintenance.calls, batch),
    async close() {
      await maintenance.close()
      process.exit() // ends this thread only, even while pg-boss is still being started
    },
  })
}

import { heapLimit, parsedSizeLimit } from '../inbox/parsed-size.ts'
import { matchPayload } from '../inbox/query/payload-search.ts'
import { executeEach, type ThreadServer } from '../runtime/thread-server.ts'
import { Unpacker } from './delivery-store/contents.ts'
import type { MaintenanceCalls, SearchCalls, ThreadData } from './threads.ts'

/** Creates the server of a thread with this role. */
export async function createServer(
  data: ThreadData,
): Promise<ThreadServer<MaintenanceCalls> | ThreadServer<SearchCalls>> {
  if (data.role === 'search') return serverOf(searchCalls(), () => {})
  const { Maintenance } = await import('./maintenance.ts') // with pg, which the search thread does not need
  const maintenance = new Maintenance(data.target, data.settings)
  return {
    ...serverOf(maintenance.calls, () => maintenance.close()),
    sendEvents: (send) => maintenance.sendEvents(send),
  }
}

const serverOf = <Served>(calls: Served, close: ThreadServer<Served>['close']): ThreadServer<Served> => ({
  execute: (batch) => executeEach(calls, batch),
  close,
})

function searchCalls(): SearchCalls {
  const limit = parsedSizeLimit(heapLimit())
  return {
    matches(contents, paths) {
      const unpacker = new Unpacker()
      return contents.map((one) => {
        return matchPayload({ form: one.form, body: () => unpacker.unpack(one).body }, paths, limit)
      })
    },
  }
}

/** The program of the thread in which the PostgreSQL inbox searches payloads. */
import { heapLimit, parsedSizeLimit } from '../inbox/parsed-size.ts'
import { matchPayload } from '../inbox/query/payload-search.ts'
import { executeEach, serveThread } from '../runtime/thread-server.ts'
import { unpack } from './contents.ts'
import type { SearchCalls } from './search.ts'

const limit = parsedSizeLimit(heapLimit())

const calls: SearchCalls = {
  matches: (contents, paths) =>
    contents.map(({ bytes, headers_size, size, form }) => {
      return matchPayload({ form, body: () => unpack(bytes, headers_size, size).body }, paths, limit)
    }),
}

serveThread<SearchCalls>({ execute: (batch) => executeEach(calls, batch), close: () => undefined })

/** The thread of the Postgres inbox that looks into payloads: however large they are, nobody else waits for it. */

import { type MessagePort, parentPort } from 'node:worker_threads'
import { heapLimit, parsedSizeLimit } from '../inbox/parsed-size.ts'
import { matchPayload } from '../inbox/query/paging.ts'
import type { PathCondition } from '../inbox/query/query.ts'
import { unpack } from './contents.ts'

/** A delivery's contents, as they are kept. */
export interface Contents {
  bytes: Uint8Array
  headers_size: number
  size: number
  form: 'json' | 'form'
}

/** What the thread is asked: which of these have all that the conditions say. */
export interface SearchRequest {
  contents: readonly Contents[]
  paths: readonly PathCondition[]
}

const port = parentPort as MessagePort

const limit = parsedSizeLimit(heapLimit())

port.on('message', ({ contents, paths }: SearchRequest) => {
  port.postMessage(
    contents.map(({ bytes, headers_size, size, form }) => {
      return matchPayload({ form, body: () => unpack(bytes, headers_size, size).body }, paths, limit)
    }),
  )
})

import type { PayloadMatch } from '../inbox/query/payload-search.ts'
import type { PathCondition } from '../inbox/query/query.ts'
import { Mutex } from '../runtime/mutex.ts'
import { ThreadClient, threadFile } from '../runtime/thread-client.ts'

/** Headers and body of a delivery as the table stores them. */
export interface Contents {
  bytes: Uint8Array
  headers_size: number
  size: number
  form: 'json' | 'form'
}

/** What the search thread serves. */
export interface SearchCalls {
  /** Whether each payload meets all conditions. */
  matches(contents: readonly Contents[], paths: readonly PathCondition[]): PayloadMatch[]
}

/** Starts and calls the thread that searches payloads: parsing them does not block the event loop of the process. */
export class PayloadSearch {
  readonly #mutex = new Mutex()
  readonly #thread = new ThreadClient<SearchCalls>({
    program: threadFile(import.meta.url, 'search-client', 'search-thread', 'hookserver/postgres starts a thread'),
    name: 'hookserver search',
    closedMessage: 'The inbox is closed',
  })

  /** Whether each payload meets all conditions. Searches run one after the other. */
  matches(contents: readonly Contents[], paths: readonly PathCondition[]): Promise<PayloadMatch[]> {
    return this.#mutex.run(() => this.#thread.call('matches', contents, paths))
  }

  /** Resolves once pending searches are answered and the thread has ended. */
  close(): Promise<void> {
    return this.#thread.close()
  }
}

import { Worker } from 'node:worker_threads'
import type { PayloadMatch } from '../inbox/query/paging.ts'
import type { PathCondition } from '../inbox/query/query.ts'
import { Mutex } from '../runtime/mutex.ts'
import { threadFile } from '../runtime/thread-client.ts'
import type { Contents, SearchRequest } from './search-thread.ts'

/** The program of the thread. @throws {Error} in a bundle, which has none. */
const threadEntry = (): URL =>
  threadFile(import.meta.url, 'search-client', 'search-thread', 'hookserver/postgres starts a thread')

/** The process's end of the thread that looks into payloads. It is started by the first search, and keeps no process alive. */
export class PayloadSearch {
  readonly #mutex = new Mutex()
  #thread: Worker | undefined

  /** Which of these have all that the conditions say, one search after the other. */
  matches(contents: readonly Contents[], paths: readonly PathCondition[]): Promise<PayloadMatch[]> {
    return this.#mutex.run(() => this.#ask({ contents, paths }))
  }

  async close(): Promise<void> {
    await this.#thread?.terminate()
  }

  #ask(looking: SearchRequest): Promise<PayloadMatch[]> {
    const thread = (this.#thread ??= new Worker(threadEntry(), { name: 'hookserver search' }))
    return new Promise<PayloadMatch[]>((resolve, reject) => {
      const ended = (cause?: unknown) => {
        this.#thread = undefined
        reject(new Error('The thread that looks into payloads has ended', { cause }))
      }
      thread.ref()
      thread.once('message', (matches: PayloadMatch[]) => {
        thread.off('error', ended).off('exit', ended)
        thread.unref()
        resolve(matches)
      })
      thread.once('error', ended).once('exit', ended)
      thread.postMessage(looking)
    })
  }
}

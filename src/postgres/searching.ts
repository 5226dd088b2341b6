import { Worker } from 'node:worker_threads'
import type { PathCondition } from '../inbox/query.ts'
import { Turns } from '../inbox/turns.ts'
import type { Contents, Looking } from './search-thread.ts'

/**
 * The program of the thread, beside this file; `.ts` where Node.js runs the sources. In a bundle there is no such file,
 * which `Keeping` says at once.
 */
const threadFile = (): URL => new URL(import.meta.url.replace(/\/searching(\.[jt]s)$/, '/search-thread$1'))

/** The process's end of the thread that looks into payloads. It is started by the first search, and keeps no process alive. */
export class Searching {
  readonly #turns = new Turns()
  #thread: Worker | undefined

  /** Which of these have all that the conditions say, one search after the other. */
  matches(contents: readonly Contents[], paths: readonly PathCondition[]): Promise<boolean[]> {
    return this.#turns.take(() => this.#ask({ contents, paths }))
  }

  async close(): Promise<void> {
    await this.#thread?.terminate()
  }

  #ask(looking: Looking): Promise<boolean[]> {
    const thread = (this.#thread ??= new Worker(threadFile(), { name: 'hookserver search' }))
    return new Promise<boolean[]>((resolve, reject) => {
      const ended = (cause?: unknown) => {
        this.#thread = undefined
        reject(new Error('The thread that looks into payloads has ended', { cause }))
      }
      thread.ref()
      thread.once('message', (matches: boolean[]) => {
        thread.off('error', ended).off('exit', ended)
        thread.unref()
        resolve(matches)
      })
      thread.once('error', ended).once('exit', ended)
      thread.postMessage(looking)
    })
  }
}

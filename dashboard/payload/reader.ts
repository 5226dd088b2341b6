import { loadFailure } from '../ui/lazy.tsx'
import type { Answer, Name, Questions } from './protocol.ts'

interface Waiting {
  resolve: (answer: never) => void
  reject: (error: Error) => void
}

/** The client of the worker thread that holds a payload. */
export class Reader {
  readonly #worker = new Worker(new URL('./payload-worker.ts', import.meta.url), { type: 'module' })
  readonly #waiting = new Map<number, Waiting>()
  #last = 0
  /** Why the worker answers nothing: it may have failed before the first question. */
  #failure: string | undefined

  constructor() {
    this.#worker.onmessage = ({ data }: MessageEvent<Answer>) => this.#take(data)
    this.#worker.onerror = ({ message }) => {
      // The event has a message unless the code of the worker could not be loaded.
      const tooLarge = 'The browser could not read the payload. It may be too large. Download it instead'
      this.#failure = message === undefined ? `${loadFailure} Reload the page` : tooLarge
      for (const id of this.#waiting.keys()) this.#take({ id, error: this.#failure })
    }
  }

  /** @throws {Error} if the worker fails. */
  ask<Of extends Name>(
    name: Of,
    asks: Questions[Of]['asks'],
    transfer: Transferable[] = [],
  ): Promise<Questions[Of]['answers']> {
    if (this.#failure !== undefined) return Promise.reject(new Error(this.#failure))
    const id = ++this.#last
    this.#worker.postMessage({ id, name, asks }, transfer)
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }))
  }

  close(): void {
    this.#worker.terminate()
  }

  #take(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id)
    this.#waiting.delete(answer.id)
    if ('error' in answer) waiting?.reject(new Error(answer.error))
    else waiting?.resolve(answer.answers as never)
  }
}

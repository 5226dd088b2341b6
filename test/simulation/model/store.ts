/**
 * A model of a store: an inbox in memory that keeps the contract, and is much faster than a database. Its calls are
 * carried out and answered in any order, as those of a connection pool are.
 */
import type { Store } from '../../../src/inbox/inbox.ts'
import { failure } from '../../../src/runtime/thread-server.ts'
import { CallQueue, type SimulatedStore, type Snapshot, storeSettings } from '../store.ts'
import type { VirtualProcess } from '../virtual-time.ts'
import { ModelData } from './data.ts'
import { type ModelConnection, ModelInbox } from './inbox.ts'

export class ModelStore implements SimulatedStore {
  #data = new ModelData()
  #listeners: ModelConnection['listeners'] = new Set()

  empty(): void {
    this.#data = new ModelData()
    this.#listeners = new Set()
  }

  open(process: VirtualProcess): { inbox: Store; queues: readonly CallQueue[] } {
    const queue = new CallQueue('model', { isOrdered: false })
    const send: ModelConnection['send'] = (method, carryOut) => {
      return new Promise((resolve, reject) => {
        queue.waiting.push({
          method,
          carryOut: () => {
            try {
              return { value: carryOut() }
            } catch (error) {
              return failure(error)
            }
          },
          answer: (answer) => {
            if ('value' in answer) resolve(answer.value as never)
            else reject(new Error(answer.error.message))
          },
        })
      })
    }
    const run = (work: () => void) => process.run(work)
    const connection = { data: this.#data, listeners: this.#listeners, settings: storeSettings, send, run }
    const inbox = process.run(() => new ModelInbox(connection))
    return { inbox: inbox as unknown as Store, queues: [queue] }
  }

  snapshot(): Snapshot {
    return this.#data.snapshot()
  }

  pause(handler: string): void {
    this.#data.pauses.add(handler)
  }

  resume(handler: string): void {
    this.#data.pauses.delete(handler)
  }

  close(): void {}
}

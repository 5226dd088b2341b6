import type { NewDelivery, StoreResult } from '../inbox/inbox.ts'
import { callError, type ThreadClient } from '../runtime/thread-client.ts'
import { type BatchAnswer, BatchEncoder, type DeliveryBatch, decodeAnswer, maxEncodedSize } from './delivery-batch.ts'
import { large } from './packs.ts'
import type { WriterCalls } from './threads.ts'

/** Maximum buffers that are kept for later batches: one is filled while the writer thread has the other. */
const maxSpare = 2

interface PendingDelivery {
  resolve(result: StoreResult): void
  reject(error: Error): void
}

/** Deliveries that go to the writer thread with the next message. */
interface OpenBatch {
  encoder: BatchEncoder
  pending: PendingDelivery[]
}

/**
 * Passes deliveries to the writer thread. Deliveries that arrive while the thread commits share a message and the next
 * commit.
 */
export class StoreQueue {
  readonly #writer: ThreadClient<WriterCalls>
  #open: OpenBatch | undefined
  readonly #spare: Uint8Array[] = []

  constructor(writer: ThreadClient<WriterCalls>) {
    this.#writer = writer
  }

  /** @returns `undefined` for a large delivery: the caller compresses it, and sends it as a call of its own. */
  add(delivery: NewDelivery): Promise<StoreResult> | undefined {
    const headers = JSON.stringify(delivery.headers)
    if (maxEncodedSize(delivery, headers) >= large) return undefined
    const batch = this.#open?.encoder.hasRoom(delivery, headers) ? this.#open : this.#openBatch()
    batch.encoder.add(delivery, headers)
    return new Promise((resolve, reject) => batch.pending.push({ resolve, reject }))
  }

  #openBatch(): OpenBatch {
    const batch: OpenBatch = { encoder: new BatchEncoder(this.#spare.pop()), pending: [] }
    this.#open = batch
    const answered = this.#writer.callLater('storeBatch', (): [DeliveryBatch] => {
      if (this.#open === batch) this.#open = undefined
      return [batch.encoder.finish()]
    })
    answered.then(
      (answer) => this.#settle(batch, answer),
      (error: Error) => this.#fail(batch, error),
    )
    return batch
  }

  #settle({ pending }: OpenBatch, answer: BatchAnswer): void {
    if (this.#spare.length < maxSpare) this.#spare.push(answer.bytes)
    for (const [index, { resolve, reject }] of pending.entries()) {
      const result = decodeAnswer(answer, index)
      if ('error' in result) reject(callError(result.error))
      else resolve(result)
    }
  }

  #fail(batch: OpenBatch, error: Error): void {
    if (this.#open === batch) this.#open = undefined
    for (const { reject } of batch.pending) reject(error)
  }
}

import type { NewDelivery, StoreResult } from '../../inbox/inbox.ts'
import { callError, type ThreadClient } from '../../runtime/thread-client.ts'
import type { WriterCalls } from '../threads.ts'
import { type BatchAnswer, BatchEncoder, type DeliveryBatch, decodeAnswer, maxEncodedSize } from './delivery-batch.ts'
import { large } from './packs.ts'

/** Maximum buffers that are kept for later batches: one is filled while the writer thread has the other. */
const maxSpare = 2

/**
 * Maximum deliveries that are not committed yet. The limit of the receiver counts only bodies; a delivery takes up to
 * 3 kB more. So while a commit hangs, small deliveries take up to 60 MB more.
 */
const maxPending = 20_000

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
  readonly #maxPending: number
  #pending = 0
  #open: OpenBatch | undefined
  readonly #spare: Uint8Array[] = []

  constructor(writer: ThreadClient<WriterCalls>, limit: number = maxPending) {
    this.#writer = writer
    this.#maxPending = limit
  }

  /**
   * @returns `undefined` for a large delivery: the caller compresses it, and sends it as a call of its own.
   * @throws {Error} if too many deliveries are pending.
   */
  add(delivery: NewDelivery): Promise<StoreResult> | undefined {
    const headers = JSON.stringify(delivery.headers)
    if (maxEncodedSize(delivery, headers) >= large) return undefined
    if (this.#pending >= this.#maxPending) {
      return Promise.reject(new Error(`the disk is too slow: ${this.#pending} deliveries are waiting for a commit`))
    }
    this.#pending++
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
    this.#pending -= pending.length
    if (this.#spare.length < maxSpare) this.#spare.push(answer.bytes)
    for (const [index, { resolve, reject }] of pending.entries()) {
      const result = decodeAnswer(answer, index)
      if ('error' in result) reject(callError(result.error))
      else resolve(result)
    }
  }

  #fail(batch: OpenBatch, error: Error): void {
    if (this.#open === batch) this.#open = undefined
    this.#pending -= batch.pending.length
    for (const { reject } of batch.pending) reject(error)
  }
}

import type { AttemptStats } from './attempt-stats.ts'
import type { Selection } from './query/query.ts'
import type { DeliveryDetail } from './records.ts'

/** What an operator can do. */
export interface Operations {
  /**
   * Makes deliveries run again at once: every handler of a delivery that is `done`, else the handlers that have not
   * succeeded.
   * @returns the number of deliveries concerned.
   */
  retry(selection: Selection): Promise<number>
  /** Ends deliveries that have not ended, or are dead. @returns the number of deliveries concerned. */
  discard(selection: Selection, reason: string): Promise<number>
  /** Stores deliveries of another inbox. @returns how many of them were new. */
  importDeliveries(deliveries: readonly ImportedDelivery[]): Promise<number>
  /** Stops all workers from claiming tasks of a handler, or of every handler (`'*'`), until `resume`. */
  pause(handler: string): Promise<void>
  resume(handler: string): Promise<void>
  /** Deletes ended deliveries that are older than the retention. @returns the number of deleted deliveries. */
  prune(now: number): Promise<number>
}

/**
 * A delivery of another inbox, with its state there. It gets an id of this inbox. If it has not ended, its handlers run
 * here; tasks that were running are due at once.
 */
export interface ImportedDelivery {
  delivery: Omit<
    DeliveryDetail,
    keyof AttemptStats | 'id' | 'size' | 'sha256' | 'conflict' | 'nextAttemptAt' | 'editedFrom'
  >
  /** The exact bytes that GitHub sent. */
  body: Uint8Array
}

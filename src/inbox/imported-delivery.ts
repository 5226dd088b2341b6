import type { AttemptStats } from './attempt-stats.ts'
import type { DeliveryDetail } from './records.ts'

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

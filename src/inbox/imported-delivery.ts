import type { AttemptStats } from './attempt-stats.ts'
import type { DeliveryDetail } from './records.ts'

/**
 * A delivery of another inbox, as it stood there. It gets an id of this inbox. If it has not ended it is handled here:
 * what ran there was cut off, and is due at once.
 */
export interface ImportedDelivery {
  delivery: Omit<
    DeliveryDetail,
    keyof AttemptStats | 'id' | 'size' | 'sha256' | 'conflict' | 'nextAttemptAt' | 'editedFrom'
  >
  /** As it came. */
  body: Uint8Array
}

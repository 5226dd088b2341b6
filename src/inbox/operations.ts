import type { NewAuditEntry } from './audit-log.ts'
import type { Selection } from './query/query.ts'
import type { DeliveryDetail } from './records.ts'

/**
 * The operations of an operator. `entry` is for the audit log: see `AuditLog`. A store without this capability ignores
 * it.
 */
export interface Operations {
  /**
   * Runs handlers of deliveries again, without waiting for a backoff. For a `done` delivery, all handlers run again.
   * For any other delivery that has ended, the handlers that have not succeeded run again. For a delivery that has not
   * ended, the handlers whose tasks are `retrying`, `dead` or `discarded` run again. For a query, leaves out deliveries
   * that succeed after the search has found them.
   * @returns the number of deliveries whose handlers run again.
   */
  retry(selection: Selection, options?: RetryOptions): Promise<number>
  /** Discards deliveries that are dead or have not ended. @returns the number of discarded deliveries. */
  discard(selection: Selection, reason: string, entry?: NewAuditEntry): Promise<number>
  /**
   * Stores deliveries of another inbox.
   * @returns how many of them were new. @throws {Error} if one of them is invalid: none is stored.
   */
  importDeliveries(deliveries: readonly ImportedDelivery[], entry?: NewAuditEntry): Promise<number>
  /** Stops all workers from claiming tasks of a handler, or of every handler (`'*'`), until `resume`. */
  pause(handler: string, entry?: NewAuditEntry): Promise<void>
  /** Undoes `pause` for the same handler, or for `*`. */
  resume(handler: string, entry?: NewAuditEntry): Promise<void>
  /**
   * Deletes ended deliveries that are older than the retention. A store with a maximum size may delete them earlier.
   * @returns the number of deleted deliveries.
   */
  prune(now: number): Promise<number>
}

/** Options of `retry`. */
export interface RetryOptions {
  /**
   * Runs only this handler again, also if it has succeeded. Leaves out deliveries in which its task is pending, running
   * or gone, and those that wait to be matched. The other tasks stay as they are.
   */
  handler?: string | undefined
  /** Written in the same transaction, if the retry changes a delivery. */
  entry?: NewAuditEntry | undefined
}

/**
 * A delivery of another inbox, with its state there. It gets an id of this inbox. If it has not ended, its handlers run
 * here. A task that was `running` there is `pending` here.
 */
export interface ImportedDelivery {
  /** The store gives it a new id, and computes the members that are left out. */
  delivery: Omit<
    DeliveryDetail,
    | 'attempts'
    | 'duration'
    | 'failure'
    | 'pausedHandlers'
    | 'id'
    | 'size'
    | 'sha256'
    | 'conflict'
    | 'nextAttemptAt'
    | 'editedFrom'
    | 'sameBodyAs'
  >
  /** The body as the other inbox stored it. */
  body: Uint8Array
}

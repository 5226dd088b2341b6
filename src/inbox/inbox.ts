/**
 * The interface that both stores, SQLite and PostgreSQL, implement. `inboxContract` in `hookserver/testing` tests all
 * of it.
 *
 * A receiver *stores* a delivery; a worker *matches* it with handlers. From then on, the delivery has one *task* for
 * each matching handler. A task runs in *attempts* until it succeeds, is discarded, or has failed too often. A running
 * task is leased to its worker. The store sends the heartbeats of the worker. When the heartbeats stop, the leases of
 * the worker expire, and its tasks are due again.
 *
 * A store calls no handler. The worker decides when a failed attempt is retried. After a lease has expired,
 * `expiredLeaseDelay` decides when the task is due. Times are milliseconds since 1970. `match`, `claim` and `prune`
 * take `now` from the caller. The store's own clock decides when leases by name and the registrations of processes
 * expire.
 */
import type { Count, CountQuery } from './counts.ts'
import type { GuidLookup, MissedDelivery } from './missed-deliveries.ts'
import type { ProcessInfo, RegisteredProcess } from './processes.ts'
import type { Query, Selection } from './query/query.ts'
import type { ValueQuery } from './query/values.ts'
import type {
  Changes,
  DeliveryDetail,
  Failure,
  InboxOverview,
  NewDelivery,
  Page,
  Rejection,
  Rejections,
  StoreResult,
} from './records.ts'
import type { TaskQueue } from './task-queue.ts'

export type { NewDelivery, StoreResult } from './records.ts'
export type * from './task-queue.ts'

export interface Inbox extends DeliveryStore, TaskQueue, DeliveryReader, Operations, Metadata {
  /** Milliseconds until an idle worker polls again. A poll finds the work that other processes have made available. */
  readonly pollInterval: number
  /** Waits for pending operations, then closes the store. */
  close(): Promise<void>
}

/** Stores deliveries before they are acknowledged. */
export interface DeliveryStore {
  /**
   * Commits a delivery, or recognizes it as a copy of a stored or pruned delivery. Resolves when the result is safe on
   * disk.
   * @throws the reason why the delivery could not be stored.
   */
  store(delivery: NewDelivery): Promise<StoreResult>
  /**
   * Tests whether deliveries can be stored: writes a delivery, rolls it back, and commits a small key value. No query
   * finds the delivery.
   * @throws the reason why a delivery could not be stored.
   */
  checkWritable(): Promise<void>
}

/** The queries of the dashboard, the API and the command line. */
export interface DeliveryReader {
  /** A page of deliveries, newest first. */
  list(query: Query): Promise<Page>
  get(id: number): Promise<DeliveryDetail | undefined>
  /**
   * The body as it is stored. If the delivery arrived as a request, these are the exact bytes that GitHub sent. If the
   * delivery is `recovered`, they are JSON with the payload from GitHub's API.
   */
  body(id: number): Promise<Uint8Array | undefined>
  overview(): Promise<InboxOverview>
  /**
   * The values of a column for suggestions, in alphabetical order. If the store has no index of the column, only the
   * values of the newest few thousand deliveries.
   */
  values(query: ValueQuery): Promise<string[]>
  /**
   * The latest failure of each handler, sorted by handler. Reads only 2,000 attempts, those of the newest deliveries,
   * and leaves out handlers that did not fail in these attempts.
   */
  failures(): Promise<Failure[]>
  /**
   * Deliveries that any process has stored or changed since a position.
   * @param after The `position` of an earlier result. Default: returns no deliveries, only the position to start from.
   */
  changes(after?: string): Promise<Changes>
  /** The newest rejected requests, and the number of all rejected requests by code. */
  rejections(): Promise<Rejections>
  /** Sums of counts by step, without the steps in which nothing happened. */
  counts(query: CountQuery): Promise<Count[]>
}

/** The operations of an operator. */
export interface Operations {
  /**
   * Runs handlers of deliveries again, without waiting for a backoff. For a `done` delivery, all handlers run again.
   * For any other delivery that has ended, the handlers that have not succeeded run again. For a delivery that has not
   * ended, the handlers whose tasks are `retrying`, `dead` or `discarded` run again.
   * @returns the number of deliveries whose handlers run again.
   */
  retry(selection: Selection): Promise<number>
  /** Discards deliveries that are dead or have not ended. @returns the number of discarded deliveries. */
  discard(selection: Selection, reason: string): Promise<number>
  /**
   * Stores deliveries of another inbox.
   * @returns how many of them were new. @throws {Error} if one of them is invalid: none is stored.
   */
  importDeliveries(deliveries: readonly ImportedDelivery[]): Promise<number>
  /** Stops all workers from claiming tasks of a handler, or of every handler (`'*'`), until `resume`. */
  pause(handler: string): Promise<void>
  resume(handler: string): Promise<void>
  /**
   * Deletes ended deliveries that are older than the retention. A store with a maximum size may delete them earlier.
   * @returns the number of deleted deliveries.
   */
  prune(now: number): Promise<number>
}

/**
 * A delivery of another inbox, with its state there. It gets an id of this inbox. If it has not ended, its handlers run
 * here. A task that was `running` there is `pending` here.
 */
export interface ImportedDelivery {
  delivery: Omit<
    DeliveryDetail,
    'maxAttempts' | 'duration' | 'failure' | 'id' | 'size' | 'sha256' | 'conflict' | 'nextAttemptAt' | 'editedFrom'
  >
  /** The body as the other inbox stored it. */
  body: Uint8Array
}

/** The data that an inbox stores besides deliveries. */
export interface Metadata {
  /** Stores rejected requests, and keeps the newest 1,000. Does not count them: the caller does, with `addCounts`. */
  recordRejections(rejections: readonly Rejection[]): Promise<void>
  /** Adds to the counts by minute and by hour and, for rejected requests, to the totals by code. */
  addCounts(counts: readonly Count[]): Promise<void>

  /**
   * Of the GUIDs in `lookup`, returns those that the inbox knows. The inbox knows the GUID of a stored or pruned
   * delivery that came from the given webhook or has no hook id.
   */
  knownGuids(lookup: GuidLookup): Promise<string[]>
  /** Records missed deliveries, or their new states. */
  saveMissedDeliveries(missedDeliveries: readonly MissedDelivery[]): Promise<void>
  /** Missed deliveries, newest first: all that are `missed` or `requested`, and the newest of the others. */
  missedDeliveries(): Promise<MissedDelivery[]>

  /**
   * Acquires or renews a lease, for work that only one process may do at a time.
   * @param ms Milliseconds until the lease expires. 0 releases the lease.
   * @returns whether the holder has the lease.
   */
  lease(name: string, holder: string, ms: number): Promise<boolean>
  /** When this inbox was created, in milliseconds since 1970. */
  createdAt(): Promise<number>

  /** Sets the text of a key. Processes keep their state across restarts here. */
  setValue(key: string, text: string): Promise<void>
  getValue(key: string): Promise<string | undefined>
  /**
   * Sets the text of a key if its current text is `expected` (`undefined`: the key does not exist). If two processes
   * change a key at the same time, neither overwrites the other's change.
   * @returns whether the text was set.
   */
  compareAndSet(key: string, expected: string | undefined, text: string): Promise<boolean>

  /** Registers a process, or renews its registration, which expires after a minute. */
  heartbeat(process: ProcessInfo): Promise<void>
  unregister(id: string): Promise<void>
  /** The registered processes, in the order in which they started. */
  processes(): Promise<RegisteredProcess[]>
}

/**
 * The port of the inbox, which every store implements: SQLite and PostgreSQL do; `inboxContract` in
 * `hookserver/testing` tests every promise that it makes.
 *
 * A receiver *stores* a delivery; a worker *matches* it with handlers. From then on it has one *task* for each handler.
 * A task runs in *attempts* until it succeeds, is discarded, or has failed too often. A running task is leased to its
 * worker, whose heartbeats the store sends; when they stop, the leases expire and the tasks are due again.
 *
 * A store never decides when to retry and never calls the user's code. Times are milliseconds since 1970. Methods that
 * compare times take `now`, so that the caller owns the clock.
 */
import type { DeliveryReader } from './delivery-reader.ts'
import type { DeliveryStore } from './delivery-store.ts'
import type { Metadata } from './metadata.ts'
import type { Operations } from './operations.ts'
import type { TaskQueue } from './task-queue.ts'

export type { DeliveryReader } from './delivery-reader.ts'
export type { DeliveryStore, NewDelivery, StoreResult } from './delivery-store.ts'
export type { Metadata } from './metadata.ts'
export type { Operations } from './operations.ts'
export type {
  AttemptResult,
  AvailableWork,
  ClaimedTask,
  DecideMatches,
  DeliveryStatus,
  HandlerPolicy,
  Match,
  MatchedTask,
  MatchOffer,
  MatchResult,
  StoredDelivery,
  TaskQueue,
} from './task-queue.ts'

export interface Inbox extends DeliveryStore, TaskQueue, DeliveryReader, Operations, Metadata {
  /** Milliseconds between two polls of an idle worker for work that other processes have made available. */
  readonly pollInterval: number
  /** Waits for pending operations, then closes the store. */
  close(): Promise<void>
}

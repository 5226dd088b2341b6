/**
 * The interface of a store. SQLite and PostgreSQL implement all of it. `inboxContract` in `hookserver/testing` tests it.
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
 *
 * The interface consists of capabilities:
 *
 * | capability | file | who needs it |
 * |---|---|---|
 * | `DeliveryStore` | `delivery-store.ts` | receivers, recovery, polling |
 * | `TaskQueue` | `task-queue.ts` | workers |
 * | `DeliveryReader` | `delivery-reader.ts` | the admin API and the command line; warnings about unknown event names |
 * | `Operations` | `operations.ts` | the admin API and the command line |
 * | `MissedDeliveryStore` | `missed-deliveries.ts` | recovery, polling |
 * | `NamedLeases` | `shared-state.ts` | recovery, polling |
 * | `KeyValues` | `shared-state.ts` | recovery, polling, sessions of the dashboard; the cache of GitHub's addresses |
 * | `FailureGroups` | `failure-groups.ts` | the admin API and the command line |
 * | `AuditLog` | `audit-log.ts` | the admin API and the command line |
 * | `Statistics` | `statistics.ts` | the admin API; counts and rejected requests of a `Hooks` |
 * | `ProcessStore` | `processes.ts` | the admin API; the registration of a process |
 *
 * `Hooks` needs the first two. The uses after a semicolon are left out if the store lacks the capability. Code that
 * needs more says so in its type, and `requireCapabilities` checks it where an application passes its inbox.
 */
import type { AuditLog } from './audit-log.ts'
import type { DeliveryReader } from './delivery-reader.ts'
import type { DeliveryStore } from './delivery-store.ts'
import type { FailureGroups } from './failure-groups.ts'
import type { MissedDeliveryStore } from './missed-deliveries.ts'
import type { Operations } from './operations.ts'
import type { ProcessStore } from './processes.ts'
import type { MaintenanceFailure, OldTransaction } from './records.ts'
import type { KeyValues, NamedLeases } from './shared-state.ts'
import type { Statistics } from './statistics.ts'
import type { TaskQueue } from './task-queue.ts'

export type { Capabilities, Capability } from './capabilities.ts'
export type { ImportedDelivery, RetryOptions } from './operations.ts'
export type { NewDelivery, StoreResult } from './records.ts'
export type * from './task-queue.ts'
export type {
  AuditLog,
  DeliveryReader,
  DeliveryStore,
  FailureGroups,
  KeyValues,
  MissedDeliveryStore,
  NamedLeases,
  Operations,
  ProcessStore,
  Statistics,
}

declare global {
  /** Declared here too, because the `lib` of a project may not contain `esnext.disposable`. */
  interface SymbolConstructor {
    readonly asyncDispose: unique symbol
  }
}

/** A store that can receive deliveries and run their handlers. It may have further capabilities. */
export interface BasicStore extends DeliveryStore, TaskQueue {
  /** Waits for pending operations, then closes the store. */
  close(): Promise<void>
  /** As `close()`: `await using inbox = sqlite('hookserver.db')`. */
  [Symbol.asyncDispose]?(): Promise<void>
}

/**
 * The operations of a program on its inbox: to read, retry and discard deliveries, and to pause handlers. `sqlite()`
 * and `postgres()` return a `Store`, which is an `Inbox` with the operations that hookserver itself needs.
 */
export interface Inbox
  extends Pick<DeliveryReader, 'list' | 'get' | 'body' | 'overview'>,
    Pick<Operations, 'retry' | 'discard' | 'pause' | 'resume'>,
    Pick<Statistics, 'rejections'>,
    Pick<BasicStore, 'close'> {
  [Symbol.asyncDispose]?(): Promise<void>
}

/** A store with all capabilities. */
export interface Store
  extends BasicStore,
    DeliveryReader,
    Operations,
    FailureGroups,
    AuditLog,
    MissedDeliveryStore,
    NamedLeases,
    KeyValues,
    Statistics,
    ProcessStore {
  /**
   * The oldest transaction that has been open for more than a minute, as in `overview()`. Absent if no transaction can
   * slow the store down.
   */
  oldTransaction?(): Promise<OldTransaction | undefined>
  /** As `failing` in `overview()`, without its queries. Absent if the store does no work of its own. */
  maintenanceFailures?(): Promise<readonly MaintenanceFailure[]>
}

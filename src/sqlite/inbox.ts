import type { NewAuditEntry } from '../inbox/audit-log.ts'
import type {
  DecideMatches,
  GoneTasks,
  HandlerPolicy,
  MatchOffer,
  MatchResult,
  NewDelivery,
  RetryOptions,
  Store,
  StoredDelivery,
  StoreResult,
} from '../inbox/inbox.ts'
import { forEachBatch, forEachSelected } from '../inbox/operation-batches.ts'
import type { Query, SelectedIds, Selection } from '../inbox/query/query.ts'
import type { Page } from '../inbox/records.ts'
import { toStoredDelivery } from '../inbox/rows.ts'
import type { GoneListeners } from '../inbox/unhandled-tasks.ts'
import { leaseDuration, type WorkersOfProcess } from '../inbox/worker-heartbeats.ts'
import { Mutex } from '../runtime/mutex.ts'
import type { ThreadClient } from '../runtime/thread-client.ts'
import { encodeDelivery } from './delivery-store/store.ts'
import { StoreQueue } from './delivery-store/store-queue.ts'
import { type MaintenanceCalls, maintenanceMethods, type WriterCalls, writerMethods } from './threads.ts'
import { UnmatchedReader } from './unmatched-reader.ts'

interface InboxParts {
  writer: ThreadClient<WriterCalls>
  maintenance: ThreadClient<MaintenanceCalls>
  /** The maintenance thread sends the heartbeats of these workers. It gets them again if it has to be started again. */
  workers: WorkersOfProcess
  goneListeners: GoneListeners
  /** Milliseconds between two heartbeats. */
  heartbeat: number
}

export function createInbox(parts: InboxParts): Store {
  return Object.assign(
    new SqliteInbox(parts),
    parts.writer.methods(writerMethods),
    parts.maintenance.methods(maintenanceMethods),
  )
}

type ForwardedMethod = (typeof writerMethods)[number] | (typeof maintenanceMethods)[number]

/** The methods of the inbox that do more than forward a call to a thread. */
class SqliteInbox implements Omit<Store, ForwardedMethod> {
  readonly pollInterval = 200
  readonly leaseDuration: number
  readonly #writer: ThreadClient<WriterCalls>
  readonly #maintenance: ThreadClient<MaintenanceCalls>
  readonly #workers: WorkersOfProcess
  readonly #goneListeners: GoneListeners
  readonly #storeQueue: StoreQueue
  /** Searches in payloads take long, so they run one by one: between two of them, the thread answers other calls. */
  readonly #searches = new Mutex()
  readonly #unmatched: UnmatchedReader
  /** The unfinished operations that have several steps. */
  readonly #pending = new Set<Promise<unknown>>()
  #closed: Promise<void> | undefined

  constructor({ writer, maintenance, workers, goneListeners, heartbeat }: InboxParts) {
    this.leaseDuration = leaseDuration(heartbeat)
    this.#writer = writer
    this.#maintenance = maintenance
    this.#workers = workers
    this.#goneListeners = goneListeners
    this.#storeQueue = new StoreQueue(writer)
    this.#unmatched = new UnmatchedReader(async ({ limit, bytes, sources }, after) => {
      return (await maintenance.call('readUnmatched', limit, bytes, after, sources)).map(toStoredDelivery)
    })
  }

  store(delivery: NewDelivery): Promise<StoreResult> {
    this.#maintenance.start() // a process that only stores needs checkpoints and pruning too
    if (this.#closed) return Promise.reject(new Error('The inbox is closed'))
    const stored = this.#storeQueue.add(delivery)
    return stored ?? this.#track(async () => this.#writer.call('store', await encodeDelivery(delivery)))
  }

  registerWorker(
    handlers: readonly HandlerPolicy[],
    _onWork?: unknown,
    onGone?: (tasks: GoneTasks) => void,
  ): Promise<number> {
    return this.#track(async () => {
      const worker = await this.#writer.call('registerWorker', handlers)
      this.#workers.set(worker, handlers)
      try {
        await this.#maintenance.call('addWorker', worker, handlers)
      } catch (error) {
        this.#workers.delete(worker) // the caller does not learn the id, so it cannot release the worker
        throw error
      }
      if (onGone) this.#goneListeners.add(worker, onGone)
      return worker
    })
  }

  updateWorker(worker: number, handlers: readonly HandlerPolicy[]): Promise<void> {
    return this.#track(async () => {
      this.#workers.set(worker, handlers)
      await this.#maintenance.call('addWorker', worker, handlers)
      await this.#writer.call('updateWorker', worker, handlers)
    })
  }

  releaseWorker(worker: number): Promise<void> {
    return this.#track(async () => {
      this.#workers.delete(worker)
      this.#goneListeners.remove(worker)
      this.#unmatched.forget(worker)
      await this.#maintenance.call('removeWorker', worker)
      await this.#writer.call('releaseWorker', worker)
    })
  }

  match(worker: number, offer: MatchOffer, decide: DecideMatches): Promise<MatchResult> {
    return this.#track(async () => {
      for (;;) {
        const isReadAhead = this.#unmatched.hasRead(worker)
        const offered = await this.#unmatched.take(worker, offer)
        const matches = offered.length > 0 ? await decide(offered) : []
        if (matches.length === 0) return { matched: 0, claimed: [] }
        if (matches.length === offered.length) this.#unmatched.readAhead(worker, offer, offered)
        const recorded = await this.#writer.call('recordMatches', worker, matches, offer.now, offer.sources)
        const { hasEarlier, ...result } = recorded
        if (hasEarlier) this.#unmatched.forget(worker)
        // Nothing is recorded if all matches have order keys, and an earlier delivery was made unmatched again after
        // these were read. Then that delivery is offered now.
        if (result.matched > 0 || !hasEarlier || !isReadAhead) return result
      }
    })
  }

  async load(ids: readonly number[]): Promise<StoredDelivery[]> {
    return (await this.#maintenance.call('load', ids)).map(toStoredDelivery)
  }

  list(query: Query): Promise<Page> {
    const list = () => this.#maintenance.call('list', query)
    const searchesPayloads = query.paths !== undefined && query.paths.length > 0
    return searchesPayloads ? this.#track(() => this.#searches.run(list)) : list()
  }

  retry(selection: Selection, options?: RetryOptions): Promise<number> {
    return this.#forEachSelected(selection, (selected) => this.#writer.call('retry', selected, options))
  }

  discard(selection: Selection, reason: string, entry?: NewAuditEntry): Promise<number> {
    return this.#forEachSelected(selection, (selected) => this.#writer.call('discard', selected, reason, entry))
  }

  retryFailures(id: number, entry?: NewAuditEntry): Promise<number> {
    return this.#forEachFailure(id, (ids) => this.#writer.call('retryFailures', id, ids, entry))
  }

  discardFailures(id: number, reason: string, entry?: NewAuditEntry): Promise<number> {
    return this.#forEachFailure(id, (ids) => this.#writer.call('discardFailures', id, ids, reason, entry))
  }

  prune(now: number): Promise<number> {
    return this.#track(async () => {
      let pruned = 0
      for (;;) {
        const deleted = await this.#maintenance.call('prune', now)
        if (deleted === 0) return pruned
        pruned += deleted
      }
    })
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    if (this.#pending.size > 0) await Promise.allSettled(this.#pending)
    await this.#maintenance.close()
    // The last connection that closes copies its log into the database. This must be the connection of the writer,
    // whose log has all transactions. The log of the maintenance thread can be another, empty file: if an operator
    // deletes the file of the log and the maintenance thread opens the database after that, SQLite creates a new log.
    await this.#writer.close()
  }

  /** Runs an operation that has several steps. `close` waits until the operation has ended. */
  #track<T>(operation: () => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new Error('The inbox is closed'))
    const pending = operation()
    this.#pending.add(pending)
    return pending.finally(() => this.#pending.delete(pending))
  }

  #forEachSelected(selection: Selection, act: (selected: SelectedIds) => Promise<number>): Promise<number> {
    return this.#track(() => forEachSelected((query) => this.list(query), selection, act))
  }

  #forEachFailure(group: number, act: (ids: readonly number[]) => Promise<number>): Promise<number> {
    return this.#track(async () => forEachBatch(await this.#maintenance.call('deliveriesOfFailure', group), act))
  }
}

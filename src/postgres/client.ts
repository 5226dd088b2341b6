import type { AvailableWork } from '../inbox/task-queue.ts'
import { GoneListeners } from '../inbox/unhandled-tasks.ts'
import { batcherLimits } from '../runtime/batcher.ts'
import { isMissingObject } from './connection/connection.ts'
import { Database, type Transaction } from './connection/database.ts'
import { DatabaseClock } from './connection/database-clock.ts'
import { Listener, Notifier } from './connection/notify.ts'
import { checkDatabase, prepareDatabase } from './connection/open.ts'
import type { ConnectionTarget, PostgresSettings } from './options.ts'
import { MaintenanceClient } from './threads.ts'

/**
 * The resources of one process's inbox: connection pools, notifications and the maintenance thread.
 *
 * - new: nothing is connected. The first call opens the database; if that fails, the next call tries again.
 * - open: calls run. If a call fails because tables are missing, the database is prepared again, as at its opening:
 *   an operator may have deleted them, or the database was restored from a backup.
 * - closed: `close` waits for pending calls; new ones are rejected.
 */
export class PostgresClient {
  readonly settings: PostgresSettings
  /** Connections for all calls that do not use `receiverDatabase`. */
  readonly database: Database
  /**
   * Connections for storing deliveries, and for short statements that must not wait for a connection of `database`,
   * because open transactions may hold all connections of `database`.
   */
  readonly receiverDatabase: Database
  readonly clock: DatabaseClock
  readonly maintenance: MaintenanceClient
  readonly notifier: Notifier
  readonly goneListeners = new GoneListeners()
  readonly #listener: Listener
  /** The `onWork` functions, by worker. */
  readonly #workListeners = new Map<number, (work: AvailableWork) => void>()
  readonly #pending = new Set<Promise<unknown>>()
  #opening: Promise<void> | undefined
  #reopening: Promise<void> | undefined
  #isClosed = false

  constructor(target: ConnectionTarget, settings: PostgresSettings) {
    const { connections, schema } = settings
    const { concurrency } = batcherLimits
    this.settings = settings
    this.database = new Database(target, settings, { max: connections - concurrency, name: 'worker' })
    this.receiverDatabase = new Database(target, settings, { max: concurrency, name: 'receiver' })
    this.clock = new DatabaseClock(this.receiverDatabase)
    this.maintenance = new MaintenanceClient(target, settings, (tasks) => this.goneListeners.report(tasks))
    this.#listener = new Listener(target, settings, (work) => {
      for (const onWork of this.#workListeners.values()) onWork(work)
    })
    this.notifier = new Notifier(this.database, schema)
  }

  /**
   * Opens the database if necessary, and then runs `work`. `close` waits until `work` has ended.
   * @throws {Error} if the inbox is closed.
   */
  call<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isClosed) return Promise.reject(new Error('The inbox is closed'))
    const result = this.#open().then(() => this.#reopenIfMissing(work))
    this.#pending.add(result)
    return result.finally(() => this.#pending.delete(result))
  }

  run<T>(work: (database: Database) => Promise<T>): Promise<T> {
    return this.call(() => work(this.database))
  }

  write<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.call(() => this.transaction(work))
  }

  /** Runs a transaction within a call, and notifies workers of the work that it has made available. */
  async transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    let last: Transaction | undefined
    const result = await this.database.transaction((transaction) => {
      last = transaction
      return work(transaction)
    })
    if (last?.unmatched) this.notifier.notify('unmatched')
    if (last?.due) this.notifier.notify('due')
    return result
  }

  /** Calls `onWork` when any process may have made work available. */
  addWorkListener(worker: number, onWork: (work: AvailableWork) => void): void {
    this.#workListeners.set(worker, onWork)
    this.#listener.start()
  }

  removeWorkListener(worker: number): void {
    this.#workListeners.delete(worker)
  }

  /** Calls the `onWork` function of a worker, if it still has one. */
  signalWork(worker: number, work: AvailableWork): void {
    this.#workListeners.get(worker)?.(work)
  }

  /** Rejects new calls, waits for pending ones, runs `flush`, then closes everything. */
  async close(flush: () => Promise<void>): Promise<void> {
    this.#isClosed = true
    await Promise.allSettled(this.#pending)
    await flush()
    await this.maintenance.close()
    await this.#listener.close()
    await Promise.all([this.database.close(), this.receiverDatabase.close()])
  }

  #open(): Promise<void> {
    this.#opening ??= this.#prepare().catch((cause: Error) => {
      this.#opening = undefined
      throw cause
    })
    return this.#opening
  }

  /** Runs `work`. If it fails because tables are missing, creates them for later calls, or says why it cannot. */
  async #reopenIfMissing<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (!isMissingObject(error)) throw error
      this.#reopening ??= this.#prepare().finally(() => {
        this.#reopening = undefined
      })
      await this.#reopening
      throw error
    }
  }

  async #prepare(): Promise<void> {
    try {
      if (this.settings.migrate) await prepareDatabase(this.database, this.settings)
      else await checkDatabase(this.database, this.settings)
    } catch (cause) {
      throw new Error(`Cannot open the inbox in PostgreSQL: ${(cause as Error).message}`, { cause })
    }
  }
}

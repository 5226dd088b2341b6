import type { GoneTasks } from '../inbox/inbox.ts'
import { countByHandler, mayHaveMore } from '../inbox/unhandled-tasks.ts'
import { HeartbeatMonitor, isStuck, type WorkersOfProcess } from '../inbox/worker-heartbeats.ts'
import { Database, type Transaction } from './connection/database.ts'
import { readTime } from './connection/database-clock.ts'
import { deleteOldEntries } from './metadata/audit-log.ts'
import { type PruneCursor, pruneAll, pruneBatch } from './operations/retention.ts'
import type { ConnectionTarget, PostgresSettings } from './options.ts'
import { reclaimLeases, reclaimOrphans } from './task-queue/leases.ts'
import { correctClockSkew, unblockFirstTasks } from './task-queue/reconcile.ts'
import { endUnhandledTasks } from './task-queue/unhandled-tasks.ts'
import { type RegisteredWorker, renewLeases, workers } from './task-queue/workers.ts'
import type { MaintenanceCalls } from './threads.ts'

/** Maximum milliseconds between two reconciliations, and milliseconds between two prunings. */
const [reconcileInterval, pruneInterval] = [15_000, 60_000]

/**
 * Periodic work: heartbeats of the workers of this process, reclaiming the tasks of dead workers, reconciliation, and
 * pruning. It runs on a thread and connections of its own. So the heartbeats continue while a handler blocks the event
 * loop of the process, and the workers keep their leases. The heartbeats stop when `isStuck` returns true: the event
 * loop has then been blocked for too long.
 *
 * Every process that stores deliveries or runs handlers does this work. A lock in the database keeps two processes from
 * reconciling or pruning at the same time.
 */
export class Maintenance {
  readonly #settings: PostgresSettings
  readonly #database: Database
  /** Only sends and reads heartbeats, which must not wait for a connection that another transaction holds. */
  readonly #heartbeatDatabase: Database
  readonly #workers: WorkersOfProcess = new Map()
  readonly #pruneCursor: PruneCursor = new Map()
  readonly #monitor = new HeartbeatMonitor()
  /** Dead workers whose tasks are not reclaimed yet. */
  readonly #dead = new Map<number, RegisteredWorker>()
  readonly #timers: NodeJS.Timeout[]
  readonly #running = new Set<Promise<void>>()
  /** For each kind of work whose latest run failed, the message of the error. */
  readonly #failing = new Map<string, string>()
  #sendEvent: (tasks: GoneTasks) => void = () => {}
  /** The number of the latest heartbeat. */
  #heartbeats = 0
  #pingedAt = performance.now()
  #isRenewing = false
  #isClosing = false

  readonly calls: MaintenanceCalls = {
    addWorker: (worker, handlers) => void this.#workers.set(worker, handlers),
    removeWorker: (worker) => {
      this.#workers.delete(worker)
      return !this.#isRenewing
    },
    ping: () => {
      this.#pingedAt = performance.now()
      return [...this.#failing].map(([work, message]) => ({ work, message }))
    },
  }

  constructor(target: ConnectionTarget, settings: PostgresSettings) {
    this.#settings = settings
    this.#database = new Database(target, settings, { max: 2, name: 'maintenance' })
    this.#heartbeatDatabase = new Database(target, settings, { max: 1, name: 'heartbeat' })
    const { heartbeat } = settings
    this.#timers = [
      this.#every(heartbeat, 'heartbeats', () => this.#renewLeases()),
      this.#every(heartbeat, 'expired leases', () => this.#expireLeases()),
      this.#every(Math.min(reconcileInterval, 4 * heartbeat), 'reconciliation', () => this.#reconcile()),
      this.#every(pruneInterval, 'pruning', () => this.#prune()),
    ]
  }

  sendEvents(send: (tasks: GoneTasks) => void): void {
    this.#sendEvent = send
  }

  /** Waits for running work, then closes the connections. */
  async close(): Promise<void> {
    this.#isClosing = true
    for (const timer of this.#timers) clearInterval(timer)
    await Promise.all(this.#running)
    await Promise.allSettled([this.#database.close(), this.#heartbeatDatabase.close()])
  }

  async #renewLeases(): Promise<void> {
    this.#isRenewing = true
    try {
      await renewLeases(this.#heartbeatDatabase, this.#alive(), this.#settings.heartbeat, ++this.#heartbeats)
    } finally {
      this.#isRenewing = false
    }
  }

  /** Makes the tasks of dead workers due again. */
  async #expireLeases(): Promise<void> {
    const alive = this.#alive()
    const others = (await workers(this.#heartbeatDatabase)).filter(({ id }) => !alive.has(id))
    for (const dead of this.#monitor.check(others, this.#settings.heartbeat)) this.#dead.set(dead.id, dead)
    for (const [id, dead] of this.#dead) {
      const now = await this.#now()
      await this.#database.transaction((transaction) => reclaimLeases(transaction, dead, now))
      this.#dead.delete(id)
    }
  }

  /**
   * Makes tasks due that no event would make due. If the process has workers, which can report it, also ends tasks whose
   * handlers no worker registers.
   */
  async #reconcile(): Promise<void> {
    const now = await this.#now()
    await this.#exclusively('reconciles', (transaction) => reclaimOrphans(transaction, now))
    if (this.#workers.size > 0) await this.#endUnhandledTasks(now)
    await this.#exclusively('reconciles', unblockFirstTasks)
    await this.#exclusively('reconciles', (transaction) => correctClockSkew(transaction, now))
  }

  /** Ends tasks batch by batch, and reports them together. */
  async #endUnhandledTasks(now: number): Promise<void> {
    const { vanishAfter } = this.#settings
    const gone: GoneTasks[] = []
    let batch: GoneTasks[]
    try {
      do {
        batch = (await this.#exclusively('reconciles', (one) => endUnhandledTasks(one, vanishAfter, now))) ?? []
        gone.push(...batch)
      } while (mayHaveMore(batch) && !this.#isClosing)
    } finally {
      for (const tasks of countByHandler(gone)) this.#sendEvent(tasks)
    }
  }

  /** Deletes ended deliveries after their retention, batch after batch, and then old entries of the audit log. */
  async #prune(): Promise<void> {
    const [{ retention }, now] = [this.#settings, await this.#now()]
    await pruneAll(async () => {
      if (this.#isClosing) return 0
      const prune = (transaction: Transaction) => pruneBatch(transaction, retention, now, this.#pruneCursor)
      return (await this.#exclusively('prunes', prune)) ?? 0
    })
    let hasMore: boolean | undefined = true
    while (hasMore && !this.#isClosing) {
      hasMore = await this.#exclusively('prunes', (transaction) => deleteOldEntries(transaction, this.#settings, now))
    }
  }

  /** Runs work that no other process may run at the same time. @returns `undefined` while another process runs it. */
  async #exclusively<T>(what: string, work: (transaction: Transaction) => Promise<T>): Promise<T | undefined> {
    return this.#database.transaction(async (transaction) => {
      const lock = `hookserver ${what} ${this.#settings.schema}`
      const row = await transaction.get<{ own: boolean }>(tryLock, lock)
      return row?.own ? work(transaction) : undefined
    })
  }

  /** The time of the database, so that a process with a wrong clock does not delete deliveries too early. */
  async #now(): Promise<number> {
    return (await readTime(this.#database)).now
  }

  #alive(): WorkersOfProcess {
    return isStuck(this.#workers, performance.now() - this.#pingedAt) ? new Map() : this.#workers
  }

  /** Repeats work. Skips an interval while the previous run lasts. After a failure, the next interval tries again. */
  #every(interval: number, what: string, work: () => Promise<unknown>): NodeJS.Timeout {
    let isRunning = false
    return setInterval(() => {
      if (isRunning) return
      isRunning = true
      const done = work()
        .then(
          () => void this.#failing.delete(what),
          (error: Error) => void this.#failing.set(what, error.message),
        )
        .finally(() => {
          isRunning = false
          this.#running.delete(done)
        })
      this.#running.add(done)
    }, interval)
  }
}

const tryLock = 'select pg_try_advisory_xact_lock(hashtextextended($1, 1)) as own'

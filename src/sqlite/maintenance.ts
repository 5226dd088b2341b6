import type { GoneTasks } from '../inbox/inbox.ts'
import type { MaintenanceFailure } from '../inbox/records.ts'
import type { StoredDeliveryRow } from '../inbox/rows.ts'
import { countByHandler, mayHaveMore } from '../inbox/unhandled-tasks.ts'
import { isStuck, type WorkersOfProcess } from '../inbox/worker-heartbeats.ts'
import { type Answer, type Call, executeEach, type ThreadServer, transfer } from '../runtime/thread-server.ts'
import { writeTransaction } from './connection/connection.ts'
import type { NodeSqlite } from './connection/node-sqlite.ts'
import { failures } from './delivery-reader/attempt-stats.ts'
import { changes } from './delivery-reader/changes.ts'
import { failureGroup, failureGroups } from './delivery-reader/failure-groups.ts'
import { body, get, load, overview, readUnmatched, values } from './delivery-reader/read.ts'
import { list } from './delivery-reader/search.ts'
import { timeCounts } from './delivery-reader/time-counts.ts'
import { auditEntries, deleteOldEntries } from './metadata/audit-log.ts'
import { handlerLoads } from './metadata/handler-loads.ts'
import { createdAt, knownGuids, missedDeliveries } from './metadata/missed-deliveries.ts'
import { processes } from './metadata/processes.ts'
import { getValue } from './metadata/shared-state.ts'
import { counts, rejections } from './metadata/statistics.ts'
import { deliveriesOfFailure } from './operations/failure-groups.ts'
import { correctClockSkew, isNearlyFull, type PruneCursor, pruneBatch } from './operations/retention.ts'
import { dueHandlers, nextDueAt } from './task-queue/claim.ts'
import { resolveFailureGroups } from './task-queue/failure-groups.ts'
import { LeaseMonitor } from './task-queue/leases.ts'
import { endUnhandledTasks } from './task-queue/unhandled-tasks.ts'
import { renewLeases } from './task-queue/workers.ts'
import type { MaintenanceCalls, ThreadSettings } from './threads.ts'

/** Milliseconds between two checkpoints, and between two prunings. */
const [checkpointInterval, pruneInterval] = [200, 60_000]

/** Milliseconds between two batches of deliveries to prune, or of tasks to end. */
const batchPause = 10

/**
 * Queries, heartbeats, checkpoints and pruning. They have a thread and a connection of their own. So queries do not
 * delay a commit, and a worker keeps its leases while a handler blocks the event loop, up to the limit of `isStuck`.
 */
export class Maintenance implements ThreadServer<MaintenanceCalls> {
  readonly #connection: NodeSqlite
  readonly #settings: ThreadSettings
  readonly #workers: WorkersOfProcess = new Map()
  readonly #pruneCursor: PruneCursor = new Map()
  /** The number of the latest heartbeat. */
  #heartbeats = 0
  #pingedAt = performance.now()
  #renewedAt = performance.now()
  #nextPrune: NodeJS.Timeout | undefined
  #nextGone: NodeJS.Timeout | undefined
  /** Tasks that have ended as `gone`, and are not reported yet. */
  readonly #gone: GoneTasks[] = []
  readonly #monitor = new LeaseMonitor()
  readonly #heartbeatTimer: NodeJS.Timeout
  readonly #timers: readonly NodeJS.Timeout[]
  /** For each kind of work whose latest run failed, the message of the error. */
  readonly #failing = new Map<string, string>()
  #sendEvent: (tasks: GoneTasks) => void = () => {}

  constructor(connection: NodeSqlite, settings: ThreadSettings) {
    this.#connection = connection
    this.#settings = settings
    this.#heartbeatTimer = setInterval(() => this.#sendHeartbeats(), settings.heartbeat)
    this.#timers = [
      this.#heartbeatTimer,
      setInterval(() => this.#checkpoint(), checkpointInterval),
      setInterval(() => this.#attempt('pruning', () => this.#pruneAll()), pruneInterval),
    ]
  }

  execute(calls: readonly Call<MaintenanceCalls>[]): Answer[] {
    this.#pingedAt = performance.now()
    return executeEach(this.#calls, calls, () => this.#renewIfOverdue())
  }

  sendEvents(send: (tasks: GoneTasks) => void): void {
    this.#sendEvent = send
  }

  close(): void {
    for (const timer of [...this.#timers, this.#nextPrune, this.#nextGone]) clearInterval(timer)
  }

  /**
   * Renews leases if the timer is late. `execute` uses this method after each call, because no timer of this thread
   * runs until `execute` has carried out all of its calls.
   */
  #renewIfOverdue(): void {
    if (performance.now() - this.#renewedAt < 1.5 * this.#settings.heartbeat) return
    this.#sendHeartbeats()
    this.#heartbeatTimer.refresh()
  }

  #sendHeartbeats(): void {
    this.#attempt('heartbeats', () => this.renewLeases(Date.now()))
  }

  /**
   * Sends the heartbeats of the workers of this process, unless the event loop of the process has been blocked for too
   * long. In the same transaction, expires the leases of dead workers. If the process has workers, which can report it,
   * then ends due tasks as `gone` if no worker has registered their handler for `vanishAfter`. Last, corrects the times of
   * waiting tasks, if the clock was set back.
   */
  renewLeases(now: number): void {
    const { heartbeat } = this.#settings
    this.#renewedAt = performance.now()
    writeTransaction(this.#connection, () => {
      const alive: WorkersOfProcess = isStuck(this.#workers, performance.now() - this.#pingedAt)
        ? new Map()
        : this.#workers
      renewLeases(this.#connection, alive, heartbeat, ++this.#heartbeats)
      this.#monitor.check(this.#connection, alive, heartbeat, now)
    })
    this.#endUnhandledTasks(now)
    correctClockSkew(this.#connection, now)
  }

  /** Ends tasks batch by batch, and reports them together. The thread can carry out other calls between two batches. */
  #endUnhandledTasks(now: number): void {
    clearTimeout(this.#nextGone)
    if (this.#workers.size === 0) return
    const { vanishAfter } = this.#settings
    const gone = writeTransaction(this.#connection, () => endUnhandledTasks(this.#connection, vanishAfter, now))
    this.#gone.push(...gone)
    if (mayHaveMore(gone)) {
      const endMore = () => this.#attempt('heartbeats', () => this.#endUnhandledTasks(Date.now()))
      this.#nextGone = setTimeout(endMore, batchPause)
    } else for (const tasks of countByHandler(this.#gone.splice(0))) this.#sendEvent(tasks)
  }

  /** @returns the number of deleted deliveries. */
  prune(now: number): number {
    return this.#pruneBatch(now).deleted
  }

  /** Prunes one batch of deliveries. If none is left, resolves failure groups, and prunes one batch of the audit log. */
  #pruneBatch(now: number): { deleted: number; hasMore: boolean } {
    const { retention: age, maxSize: size } = this.#settings
    return writeTransaction(this.#connection, () => {
      const deleted = pruneBatch(this.#connection, { age, size }, now, this.#pruneCursor)
      if (deleted > 0) return { deleted, hasMore: true }
      resolveFailureGroups(this.#connection, now)
      return { deleted, hasMore: deleteOldEntries(this.#connection, this.#settings, now) }
    })
  }

  /** Prunes batch by batch. The thread can carry out other calls between two batches. */
  #pruneAll(): void {
    clearTimeout(this.#nextPrune)
    const { hasMore } = this.#pruneBatch(Date.now())
    if (hasMore) this.#nextPrune = setTimeout(() => this.#attempt('pruning', () => this.#pruneAll()), batchPause)
  }

  readonly #calls: MaintenanceCalls = {
    addWorker: (worker, handlers) => void this.#workers.set(worker, handlers),
    removeWorker: (worker) => void this.#workers.delete(worker),
    readUnmatched: (...given) => transferBodies(readUnmatched(this.#connection, ...given)),
    dueHandlers: (...given) => dueHandlers(this.#connection, ...given),
    nextDueAt: (...given) => nextDueAt(this.#connection, ...given),
    load: (ids) => transferBodies(load(this.#connection, ids)),
    list: (query) => list(this.#connection, query),
    timeCounts: (query) => timeCounts(this.#connection, query),
    get: (id) => get(this.#connection, id),
    body: (id) => {
      const bytes = body(this.#connection, id)
      return bytes && transfer(bytes, [bytes])
    },
    overview: () => {
      const failing = this.#failures()
      return { ...overview(this.#connection), ...(failing.length > 0 && { failing }) }
    },
    maintenanceFailures: () => this.#failures(),
    values: (query) => values(this.#connection, query),
    failures: () => failures(this.#connection),
    failureGroups: (query, now) => failureGroups(this.#connection, query, now),
    failureGroup: (id, now) => failureGroup(this.#connection, id, now),
    deliveriesOfFailure: (group) => deliveriesOfFailure(this.#connection, group),
    changes: (after) => changes(this.#connection, after),
    counts: (query) => counts(this.#connection, query),
    handlerLoads: (now) => handlerLoads(this.#connection, now),
    knownGuids: (lookup) => knownGuids(this.#connection, lookup),
    missedDeliveries: () => missedDeliveries(this.#connection),
    createdAt: () => createdAt(this.#connection),
    auditEntries: (query) => auditEntries(this.#connection, query),
    rejections: () => rejections(this.#connection),
    getValue: (name) => getValue(this.#connection, name),
    processes: () => processes(this.#connection, Date.now()),
    prune: (now) => this.prune(now),
  }

  /** Notes an error, and does not throw it, because the next interval tries again. */
  #attempt(what: string, work: () => void): void {
    try {
      work()
      this.#failing.delete(what)
    } catch (error) {
      this.#failing.set(what, (error as Error).message)
    }
  }

  #failures(): MaintenanceFailure[] {
    return [...this.#failing].map(([work, message]) => ({ work, message }))
  }

  /** Also prunes if the file is nearly full, because new deliveries and results cannot wait for the next pruning. */
  #checkpoint(): void {
    let isFull = false
    this.#attempt('checkpoints', () => {
      isFull = this.#connection.checkpoint() && isNearlyFull(this.#connection, this.#settings.maxSize)
    })
    if (isFull) this.#attempt('pruning', () => this.#pruneAll())
  }
}

function transferBodies(rows: StoredDeliveryRow[]): StoredDeliveryRow[] {
  const bodies = rows.map(({ body }) => body)
  return transfer(rows, bodies)
}

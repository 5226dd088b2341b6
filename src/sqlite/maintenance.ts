import type { HandlerPolicy } from '../inbox/inbox.ts'
import type { StoredDeliveryRow } from '../inbox/rows.ts'
import { defaultTimeout } from '../inbox/worker/attempt.ts'
import { type Answer, type Call, executeEach, type ThreadServer, transfer } from '../runtime/thread-server.ts'
import { changes } from './changes.ts'
import type { Connection } from './connection.ts'
import { failures } from './failures.ts'
import { endUnhandledTasks, LeaseMonitor } from './leases.ts'
import { counts, createdAt, getValue, rejections } from './metadata.ts'
import { body, get, load, overview, readUnmatched } from './read.ts'
import { gaps, held } from './recovering.ts'
import { processes, renewLeases, type WorkersOfProcess } from './registry.ts'
import { correctClockSkew, isNearlyFull, pruneBatch } from './retention.ts'
import { list } from './search.ts'
import type { MaintenanceCalls, ThreadSettings } from './threads.ts'
import { values } from './values.ts'

/** Milliseconds between two looks at the log, and at what is to be pruned. */
const [checkpointInterval, pruneInterval] = [200, 60_000]

/** Milliseconds of silence that mean nothing: an idle worker asks far more often. */
const minStuckTime = 60_000

/**
 * Whatever nobody waits for a commit for: reads, heartbeats, checkpoints, pruning. On a thread and a connection of its
 * own, so that none of it delays a commit, and a handler that blocks the event loop keeps its lease.
 */
export class Maintenance implements ThreadServer<MaintenanceCalls> {
  readonly #connection: Connection
  readonly #settings: ThreadSettings
  readonly #workers = new Map<number, readonly HandlerPolicy[]>()
  #pingedAt = performance.now()
  #beatAt = performance.now()
  #soon: NodeJS.Timeout | undefined
  readonly #watch = new LeaseMonitor()
  readonly #timers: NodeJS.Timeout[]
  #seen: number | undefined

  constructor(connection: Connection, settings: ThreadSettings) {
    this.#connection = connection
    this.#settings = settings
    this.#timers = [
      setInterval(() => this.#attempt(() => this.renewLeases(Date.now())), settings.heartbeat),
      setInterval(() => this.#attempt(() => this.#checkpoint()), checkpointInterval),
      setInterval(() => this.#attempt(() => this.#pruneAll()), pruneInterval),
    ]
  }

  execute(calls: readonly Call<MaintenanceCalls>[]): Answer[] {
    this.#pingedAt = performance.now()
    return executeEach(this.#calls, calls, () => this.#renewIfOverdue())
  }

  close(): void {
    for (const timer of [...this.#timers, this.#soon]) clearInterval(timer)
  }

  /** Renews leases between two calls, if the calls of a batch take so long that the timer is late. */
  #renewIfOverdue(): void {
    if (performance.now() - this.#beatAt < 1.5 * this.#settings.heartbeat) return
    this.#attempt(() => this.renewLeases(Date.now()))
    this.#timers[0]?.refresh()
  }

  /** One heartbeat: says that the own workers live, and takes over from those that do not. */
  renewLeases(now: number): void {
    const { heartbeat, vanishAfter } = this.#settings
    this.#beatAt = performance.now()
    this.#connection.transaction(() => {
      const alive: WorkersOfProcess = this.#isStuck() ? new Map() : this.#workers
      renewLeases(this.#connection, alive, heartbeat)
      this.#watch.check(this.#connection, alive, heartbeat, now)
      endUnhandledTasks(this.#connection, vanishAfter, now)
      correctClockSkew(this.#connection, now)
    })
  }

  /** Whether the event loop of our caller has been blocked for longer than any of its handlers may take. */
  #isStuck(): boolean {
    const timeouts = [...this.#workers.values()].flat().map(({ timeout = defaultTimeout }) => timeout)
    return performance.now() - this.#pingedAt > Math.max(minStuckTime, ...timeouts)
  }

  /** Deletes one batch of what is older than is kept. @returns How many deliveries. */
  prune(now: number): number {
    const { retention: age, maxSize: size } = this.#settings
    return this.#connection.transaction(() => pruneBatch(this.#connection, { age, size }, now))
  }

  /** Batch after batch, and between them whatever else is asked for. */
  #pruneAll(): void {
    clearTimeout(this.#soon)
    if (this.prune(Date.now()) > 0) this.#soon = setTimeout(() => this.#attempt(() => this.#pruneAll()), 10)
  }

  readonly #calls: MaintenanceCalls = {
    addWorker: (worker, handlers) => void this.#workers.set(worker, handlers),
    removeWorker: (worker) => void this.#workers.delete(worker),
    readUnmatched: (limit, bytes, after) => transferBodies(readUnmatched(this.#connection, limit, bytes, after)),
    load: (ids) => transferBodies(load(this.#connection, ids)),
    list: (query) => list(this.#connection, query),
    get: (id) => get(this.#connection, id),
    body: (id) => {
      const bytes = body(this.#connection, id)
      return bytes && transfer(bytes, [bytes])
    },
    overview: () => overview(this.#connection),
    values: (query) => values(this.#connection, query),
    failures: () => failures(this.#connection),
    changes: (after) => changes(this.#connection, after),
    counts: (query) => counts(this.#connection, query),
    held: (sought) => held(this.#connection, sought),
    gaps: () => gaps(this.#connection),
    createdAt: () => createdAt(this.#connection),
    rejections: () => rejections(this.#connection),
    getValue: (name) => getValue(this.#connection, name),
    processes: () => processes(this.#connection, Date.now()),
    prune: (now) => this.prune(now),
  }

  /** What fails is due again soon; and what keeps failing is seen where deliveries are stored. */
  #attempt(work: () => void): void {
    try {
      work()
    } catch {
      // the next interval
    }
  }

  /**
   * Copies the log into the database while writers go on, so that little is left when they have to do it; and makes
   * room, which neither a burst of deliveries nor the outcomes of those in a full file can wait a minute for.
   */
  #checkpoint(): void {
    const version = this.#connection.get<{ data_version: number }>('pragma data_version')?.data_version
    if (version === this.#seen) return
    this.#seen = version
    this.#connection.get('pragma wal_checkpoint(passive)')
    if (isNearlyFull(this.#connection, this.#settings.maxSize)) this.#pruneAll()
  }
}

function transferBodies(rows: StoredDeliveryRow[]): StoredDeliveryRow[] {
  return transfer(
    rows,
    rows.map(({ body }) => body),
  )
}

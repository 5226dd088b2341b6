import { HeartbeatMonitor } from '../inbox/heartbeat-monitor.ts'
import type { HandlerPolicy } from '../inbox/inbox.ts'
import { defaultTimeout } from '../inbox/worker/attempt.ts'
import type { Session } from './connection.ts'
import type { Database } from './database.ts'
import type { JobQueue } from './job-queue.ts'
import { reclaimLeases, reclaimOrphans } from './leases.ts'
import type { PostgresSettings } from './options.ts'
import { correctClockSkew, endUnhandledTasks, replaceLostJobs, unblockFirstTasks } from './reconcile.ts'
import { type RegisteredWorker, renewLeases, type WorkersOfProcess, workers } from './registry.ts'
import { pruneAll, pruneBatch } from './retention.ts'

/** Milliseconds between two looks for what would wait for ever, and for what is to be pruned. */
const [reconcileInterval, pruneInterval] = [15_000, 60_000]

/** Milliseconds of silence that mean nothing: its process says every second that it is there. */
const minStuckTime = 60_000

/**
 * Heartbeats, and whatever nobody waits for. On a thread and connections of its own, so that a handler that blocks the
 * event loop keeps its lease. Each process has one; where one is enough for all, a lock of the database says whose.
 */
export class Maintenance {
  readonly #database: Database
  readonly #heartbeatDatabase: Database
  readonly #jobs: JobQueue
  readonly #settings: PostgresSettings
  readonly #workers = new Map<number, readonly HandlerPolicy[]>()
  readonly #monitor = new HeartbeatMonitor()
  /** Workers that are silent, until all they ran is taken over. */
  readonly #dead = new Map<number, RegisteredWorker>()
  readonly #timers: NodeJS.Timeout[]
  readonly #underWay = new Set<Promise<void>>()
  readonly #failing = new Map<string, string>()
  readonly #report: (failing: string | undefined) => void
  #pingedAt = performance.now()
  #closes = false
  /** The delivery up to which due tasks were checked for lost jobs. */
  #checkedUntil = 0

  /**
   * @param heart For heartbeats alone, which nothing may hold up that others have locked.
   * @param report Told what fails, and why, or that nothing does any more.
   */
  constructor(
    [database, heart]: readonly [Database, heart: Database],
    jobs: JobQueue,
    settings: PostgresSettings,
    report: (failing: string | undefined) => void,
  ) {
    this.#database = database
    this.#heartbeatDatabase = heart
    this.#jobs = jobs
    this.#settings = settings
    this.#report = report
    const { heartbeat } = settings
    this.#timers = [
      this.#every(heartbeat, 'heartbeats', () => this.renewLeases()),
      this.#every(heartbeat, 'taking over from the dead', () => this.expireLeases()),
      this.#every(Math.min(reconcileInterval, 4 * heartbeat), 'mending', () => this.reconcile()),
      this.#every(pruneInterval, 'pruning', () => this.prune()),
    ]
  }

  /** Has a worker beat. */
  addWorker(worker: number, handlers: readonly HandlerPolicy[]): void {
    this.#workers.set(worker, handlers)
  }

  removeWorker(worker: number): void {
    this.#workers.delete(worker)
  }

  /** The process that the workers are of is there. */
  ping(): void {
    this.#pingedAt = performance.now()
  }

  /** One heartbeat: says that the own workers live. */
  async renewLeases(): Promise<void> {
    await renewLeases(this.#heartbeatDatabase, this.#alive(), this.#settings.heartbeat)
  }

  /** Takes over from those workers that do not live. */
  async expireLeases(): Promise<void> {
    const alive = this.#alive()
    const others = (await workers(this.#heartbeatDatabase)).filter(({ id }) => !alive.has(id))
    for (const dead of this.#monitor.check(others, this.#settings.heartbeat)) this.#dead.set(dead.id, dead)
    for (const [id, dead] of this.#dead) {
      await this.#jobs.prepare(dead.handlers.map(({ name }) => name))
      await this.#database.transaction((session) => reclaimLeases(session, this.#jobs, dead, Date.now()))
      this.#dead.delete(id)
    }
  }

  /** Finds what would wait for ever. */
  async reconcile(): Promise<void> {
    const [jobs, now, { vanishAfter }] = [this.#jobs, await this.#now(), this.#settings]
    await this.#alone('mends', (session) => reclaimOrphans(session, jobs, now))
    await this.#alone('mends', (session) => endUnhandledTasks(session, jobs, vanishAfter, now))
    this.#checkedUntil = await this.#alone('mends', (session) => replaceLostJobs(session, jobs, this.#checkedUntil))
    await this.#alone('mends', (session) => unblockFirstTasks(session, jobs))
    await this.#alone('mends', (session) => correctClockSkew(session, jobs, now))
  }

  /** Deletes what is older than is kept, batch after batch. */
  async prune(): Promise<void> {
    const [{ retention }, now] = [this.#settings, await this.#now()]
    await pruneAll(async () => {
      return this.#closes ? 0 : this.#alone('prunes', (session) => pruneBatch(session, retention, now))
    })
  }

  /** What is under way is done when it resolves. */
  async close(): Promise<void> {
    this.#closes = true
    for (const timer of this.#timers) clearInterval(timer)
    await Promise.all(this.#underWay)
  }

  /** Does what one process at a time is enough for; 0 where another does it. */
  async #alone<T>(what: string, work: (session: Session) => Promise<T>): Promise<T | 0> {
    return this.#database.transaction(async (session) => {
      const lock = `hookserver ${what} ${this.#settings.schema}`
      const row = await session.get<{ own: boolean }>(tryLock, lock)
      return row?.own ? work(session) : 0
    })
  }

  /** The clock of the database: one that is wrong, of any process, must not delete what others need. */
  async #now(): Promise<number> {
    return ((await this.#database.get<{ now: number }>(selectNow)) as { now: number }).now
  }

  #alive(): WorkersOfProcess {
    return this.#isStuck() ? new Map() : this.#workers
  }

  /** Whether the event loop of our process has been blocked for longer than any of its handlers may take. */
  #isStuck(): boolean {
    const timeouts = [...this.#workers.values()].flat().map(({ timeout = defaultTimeout }) => timeout)
    return performance.now() - this.#pingedAt > Math.max(minStuckTime, ...timeouts)
  }

  /** What fails is due again at the next interval; what takes longer than one is not begun twice. */
  #every(interval: number, what: string, work: () => Promise<unknown>): NodeJS.Timeout {
    let underWay = false
    return setInterval(() => {
      if (underWay) return
      underWay = true
      const done = work()
        .then(
          () => this.#ended(what),
          (error: Error) => this.#ended(what, error),
        )
        .finally(() => {
          underWay = false
          this.#underWay.delete(done)
        })
      this.#underWay.add(done)
    }, interval)
  }

  #ended(what: string, error?: Error): void {
    if (this.#failing.get(what) === error?.message) return
    if (error) this.#failing.set(what, error.message)
    else this.#failing.delete(what)
    const failing = [...this.#failing].map(([one, message]) => `${one}: ${message}`)
    this.#report(failing.length > 0 ? failing.join('; ') : undefined)
  }
}

const selectNow = 'select (extract(epoch from now()) * 1000)::bigint as now'

const tryLock = 'select pg_try_advisory_xact_lock(hashtextextended($1, 1)) as own'

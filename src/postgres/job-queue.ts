/**
 * pg-boss hands out tasks, a queue for each handler. A job is one attempt of a task, due at one time. It is written in the
 * transaction that makes the task due and deleted in the one that begins it, so the row and its job are always seen
 * together. When to try again is decided in `inbox/`; pg-boss's own retries are not used.
 */
import { hash, randomUUID } from 'node:crypto'
import { type Clock, PgBoss } from 'pg-boss'
import manifest from 'pg-boss/package.json' with { type: 'json' }
import type { Session, Sql } from './connection.ts'
import type { Database } from './database.ts'
import { jobsSchema } from './options.ts'

/** How many of its steps this pg-boss knows. */
export const jobSchemaVersion: number = manifest.pgboss.schema

/** What is due. */
export interface DueTask {
  job: string
  /** The delivery. */
  id: number
  handler: string
  /** When, in milliseconds since 1970. Default: at once. */
  at?: number | undefined
}

/** The job of a task that was fetched. */
export interface FetchedJob {
  job: string
  id: number
}

export interface JobQueueOptions {
  /** Whether pg-boss maintains its tables. */
  supervises: boolean
  /**
   * Connections on which pg-boss may look for a queue that is new to it, in the middle of a transaction: on those of
   * which that transaction holds one it could wait for itself.
   */
  lookups?: Database
}

export class JobQueue {
  readonly #boss: PgBoss
  readonly #schema: string
  readonly #prepared = new Set<string>()

  constructor(database: Database, schema: string, options: JobQueueOptions) {
    const { lookups = database } = options
    this.#schema = jobsSchema(schema)
    this.#boss = new PgBoss({
      db: { executeSql: (text, values) => lookups.executeSql(text, values) },
      schema: this.#schema,
      migrate: true, // what is newer it leaves as it is; whoever may not change the tables has refused what is older
      createSchema: false,
      supervise: options.supervises,
      schedule: false,
      registerInstance: false,
      openTelemetry: { enabled: false },
      clock: unheld,
    })
    this.#boss.on('error', () => undefined) // of what it does by itself, and will do again
  }

  async start(): Promise<void> {
    await this.#boss.start()
  }

  async stop(): Promise<void> {
    await this.#boss.stop({ graceful: false, close: false })
  }

  /** Has a queue for each handler. Whoever comes first makes it for all: in no transaction of a caller, on another connection. */
  async prepare(handlers: Iterable<string>): Promise<void> {
    for (const handler of handlers) await this.#prepare(queueOf(handler))
  }

  /** Writes jobs, in the caller's transaction. */
  async add(session: Session, due: readonly DueTask[]): Promise<void> {
    if (due.length > 0) session.due = true
    const byQueue = Map.groupBy(due, ({ handler }) => queueOf(handler))
    await Promise.all(
      [...byQueue].map(([queue, jobs]) => {
        const rows = jobs.map(({ job, id, at }) => {
          return {
            id: job,
            data: { id },
            ...(at !== undefined && { startAfter: new Date(Math.min(at, latest)).toISOString() }),
          }
        })
        return session.lend((db) => this.#boss.insert(queue, rows, { db }))
      }),
    )
  }

  /** Of these handlers those that have something due and are not paused. @param early What is not due yet counts too. */
  async whenReady(sql: Sql, handlers: readonly string[], early: boolean): Promise<Set<string>> {
    const statement = `
      select handler
      from unnest($1::text[], $2::text[]) as asked (handler, queue)
      where exists (
          select 1 from ${this.#schema}.job
          where name = queue and state < 'active' and not blocked and (start_after <= now() or $3))
        and not exists (select 1 from pauses where pauses.handler in (asked.handler, '*'))`
    const rows = await sql.all<{ handler: string }>(statement, handlers, handlers.map(queueOf), early)
    return new Set(rows.map(({ handler }) => handler))
  }

  /** Takes up what is due for a handler, in the caller's transaction. @param early What is not due yet, too. */
  async fetch(session: Session, handler: string, limit: number, early: boolean): Promise<FetchedJob[]> {
    const options = { batchSize: limit, ignoreStartAfter: early }
    const jobs = await session.lend((db) => this.#boss.fetch<{ id: number }>(queueOf(handler), { ...options, db }))
    return jobs.map(({ id: job, data: { id } }) => ({ job, id }))
  }

  /** Puts back what was taken, at the place where it was. */
  async restore(session: Session, handler: string, jobs: readonly string[]): Promise<void> {
    if (jobs.length > 0) await session.lend((db) => this.#boss.fail(queueOf(handler), [...jobs], undefined, { db }))
  }

  async remove(session: Session, handler: string, jobs: readonly string[]): Promise<void> {
    if (jobs.length > 0) await session.lend((db) => this.#boss.deleteJob(queueOf(handler), [...jobs], { db }))
  }

  /** The part of a statement that says whether a row's job is there: of many rows, so all jobs are looked up at once. */
  isAlive(job: string): string {
    return `${job} is not null and ${job} in (select id from ${this.#schema}.job where state <= 'active')`
  }

  async #prepare(queue: string): Promise<void> {
    if (this.#prepared.has(queue)) return
    // Also where there is one already, so that pg-boss need not look for it in the middle of a transaction.
    const options = { retryLimit: most, retryDelay: 0, expireInSeconds: 86_400, retentionSeconds: forGood }
    await this.#boss.createQueue(queue, options)
    this.#prepared.add(queue)
  }
}

/** A UUID that begins with the time (RFC 9562, version 7): what is made together lies together in an index. */
export function newJob(): string {
  const time = Date.now().toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`
}

/** A name as pg-boss allows it, which people still recognize. */
function queueOf(handler: string): string {
  const known = queues.get(handler)
  if (known !== undefined) return known
  const readable = handler.replace(/[^\w.-]/g, '-').slice(0, 40)
  const queue = `${readable}/${hash('sha256', handler).slice(0, 12)}`
  queues.set(handler, queue)
  return queue
}

const queues = new Map<string, string>()

/** The latest time that PostgreSQL and `toISOString` write alike: the end of the year 9999. */
const latest = 253_402_300_799_000

/** As often as it takes. */
const most = 2_000_000_000

/** Seconds after which pg-boss deletes a job that nobody has fetched: it is as good as never, and a row without its job gets another. */
const forGood = 10 * 365 * 86_400

/** pg-boss's timers must not keep a process from ending. */
const unheld: Clock = {
  now: () => Date.now(),
  setTimeout: (work, ms) => setTimeout(work, ms).unref(),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
  setInterval: (work, ms) => setInterval(work, ms).unref(),
  clearInterval: (timer) => clearInterval(timer as NodeJS.Timeout),
}

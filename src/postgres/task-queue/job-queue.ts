/**
 * The queue of tasks that are due or wait for a retry, on pg-boss, with one pg-boss queue for each handler. A job is
 * one attempt of a task, with the time at which the attempt is due. The transaction that sets the time of a task
 * inserts the job, and the transaction that claims the task deletes the job. So no transaction sees a due task without
 * its job. `inbox/retry.ts` decides when to retry a task. A retry of pg-boss only makes a fetched job available again:
 * see `restore`.
 */
import { hash, randomUUID } from 'node:crypto'
import type { Clock, PgBoss } from 'pg-boss'
import manifest from 'pg-boss/package.json' with { type: 'json' }
import { codeOf, type Sql } from '../connection/connection.ts'
import type { Database, Transaction } from '../connection/database.ts'
import { jobsSchema } from '../options.ts'

/** The schema version of this pg-boss. */
export const jobSchemaVersion: number = manifest.pgboss.schema

/** A task that is or will be due, and its job. */
export interface DueTask {
  job: string
  /** The id of the delivery. */
  id: number
  handler: string
  /** When the task is due, in milliseconds since 1970. 0 or `undefined`: now. */
  at?: number | undefined
}

export interface FetchedJob {
  job: string
  /** The id of the delivery. */
  id: number
  handler: string
}

export interface JobQueueOptions {
  /** Whether pg-boss maintains its tables. */
  supervises: boolean
  /**
   * Connections for the statements of pg-boss that are not part of a transaction. For example, pg-boss looks up a queue
   * while a transaction waits for the answer. If transactions held all of these connections, none would be left for the
   * lookup, and each transaction would wait for another one to end. So a process that runs many transactions at a time
   * needs separate connections here. Default: the connections of the transactions. The maintenance thread and the
   * set-up of the database use the default, because they run few transactions at a time.
   */
  lookups?: Database
}

/**
 * Start the queue before you call its other methods. If a method has a parameter `transaction`, it changes the jobs as
 * part of this transaction.
 */
export class JobQueue {
  readonly #lookups: Database
  readonly #supervises: boolean
  readonly #schema: string
  readonly #selectReady: string
  /**
   * The queues that exist, as far as this process knows. After a failure it knows nothing: a failover may have lost a
   * queue that was created just before, and an operator may have deleted it.
   */
  readonly #prepared = new Set<string>()
  #created: PgBoss | undefined

  constructor(database: Database, schema: string, { lookups = database, supervises }: JobQueueOptions) {
    this.#lookups = lookups
    this.#supervises = supervises
    this.#schema = jobsSchema(schema)
    this.#selectReady = `
      select handler
      from unnest($1::text[], $2::text[]) as input (handler, queue)
      where exists (
          select 1 from ${this.#schema}.job
          where name = queue and state < 'active' and not blocked and (start_after <= now() or $3))
        and not exists (select 1 from pauses where pauses.handler in (input.handler, '*'))`
  }

  /** Loads pg-boss, which takes about 80 ms, and starts it. Does nothing if it runs. May be repeated after a failure. */
  async start(): Promise<void> {
    const { PgBoss } = await import('pg-boss')
    const boss = (this.#created ??= this.#create(PgBoss))
    await boss.start().catch((error: Error) => {
      if (!createdByOther.has(codeOf(error) ?? '')) throw error
      return boss.start()
    })
  }

  async stop(): Promise<void> {
    await this.#created?.stop({ graceful: false, close: false })
  }

  #create(Boss: typeof PgBoss): PgBoss {
    const boss = new Boss({
      db: { executeSql: (text, values) => this.#lookups.executeSql(text, values) },
      schema: this.#schema,
      // An option of pg-boss. It is true even if our own option `migrate` is false, because with `false`, pg-boss would
      // reject a schema newer than its own. With `true`, pg-boss uses a newer schema as it is, and migrates an older
      // one. If our own option is false, pg-boss still migrates nothing: `checkDatabase` rejects an older schema first.
      migrate: true,
      createSchema: false,
      supervise: this.#supervises,
      schedule: false,
      registerInstance: false,
      openTelemetry: { enabled: false },
      clock: unrefTimers,
    })
    boss.on('error', () => undefined) // its maintenance failed; it tries again
    return boss
  }

  /**
   * Creates the queues of handlers, on a connection that no transaction uses. The other methods create missing queues
   * too. They take longer then, and their transaction holds its locks meanwhile.
   */
  async prepare(handlers: Iterable<string>): Promise<void> {
    for (const handler of handlers) {
      const queue = queueOf(handler)
      if (this.#prepared.has(queue)) continue
      // Called even if the queue exists: pg-boss then has the queue in its cache, and need not look it up in a
      // transaction.
      await this.#boss.createQueue(queue, queueOptions)
      this.#prepared.add(queue)
    }
  }

  async add(transaction: Transaction, due: readonly DueTask[]): Promise<void> {
    if (due.length > 0) transaction.due = true
    const inserted = [...Map.groupBy(due, ({ handler }) => handler)].map(([handler, tasks]) => {
      const jobs = tasks.map(({ job, id, at }) => ({ id: job, data: { id }, ...(at && startAfter(at)) }))
      return this.#send(transaction, handler, (queue, db) => this.#boss.insert(queue, jobs, { db }))
    })
    await Promise.all(inserted)
  }

  /**
   * Returns the handlers that have due jobs and are not paused.
   * @param early Whether jobs that are not due yet count too.
   */
  async readyHandlers(sql: Sql, handlers: readonly string[], early: boolean): Promise<Set<string>> {
    const rows = await sql.all<{ handler: string }>(this.#selectReady, handlers, handlers.map(queueOf), early)
    return new Set(rows.map(({ handler }) => handler))
  }

  /**
   * Fetches due jobs of a handler, which hides these jobs from other calls.
   * @param early Whether to fetch jobs that are not due yet, too.
   */
  async fetch(transaction: Transaction, handler: string, limit: number, early: boolean): Promise<FetchedJob[]> {
    const options = { batchSize: limit, ignoreStartAfter: early }
    const jobs = await this.#send(transaction, handler, (queue, db) =>
      this.#boss.fetch<{ id: number }>(queue, { ...options, db }),
    )
    return jobs.map(({ id: job, data: { id } }) => ({ job, id, handler }))
  }

  /** Makes fetched jobs available to other calls again. */
  async restore(transaction: Transaction, handler: string, jobs: readonly string[]): Promise<void> {
    if (jobs.length === 0) return
    await this.#send(transaction, handler, (queue, db) => this.#boss.fail(queue, [...jobs], undefined, { db }))
  }

  async remove(transaction: Transaction, handler: string, jobs: readonly string[]): Promise<void> {
    if (jobs.length === 0) return
    await this.#send(transaction, handler, (queue, db) => this.#boss.deleteJob(queue, [...jobs], { db }))
  }

  /** Forgets which queues exist, after a failure. */
  readonly forgetPrepared = (): void => this.#prepared.clear()

  /** Sends a statement about the queue of a handler, as part of a transaction. */
  #send<T>(
    transaction: Transaction,
    handler: string,
    send: (queue: string, db: Pick<Transaction, 'executeSql'>) => Promise<T>,
  ): Promise<T> {
    transaction.failureListeners.add(this.forgetPrepared)
    return transaction.holdOpen(async (db) => {
      await this.prepare([handler])
      return send(queueOf(handler), db)
    })
  }

  get #boss(): PgBoss {
    if (!this.#created) throw new Error('pg-boss has not been started')
    return this.#created
  }

  /**
   * An SQL condition: the job with this id exists and has not ended. For a statement with many rows, PostgreSQL builds
   * one hash table of all these jobs.
   * @param job An SQL expression.
   */
  isAlive(job: string): string {
    return `${job} is not null and ${job} in (select id from ${this.#schema}.job where state <= 'active')`
  }
}

/**
 * Error codes of the start of pg-boss while another process creates or migrates the same tables. pg-boss recognizes
 * these errors by their English messages, but PostgreSQL may have another language.
 */
const createdByOther: ReadonlySet<string> = new Set(['22012', '23505', '42710', '42723', '42P06', '42P07'])

/**
 * Options that keep pg-boss from ending a job. It still deletes a job that has waited for ten years; `replaceLostJobs`
 * then adds a new one.
 */
const queueOptions = {
  retryLimit: 2_000_000_000,
  retryDelay: 0,
  expireInSeconds: 86_400,
  retentionSeconds: 10 * 365 * 86_400,
}

/** A UUID that starts with the time (RFC 9562, version 7), so that jobs of the same time are adjacent in an index. */
export function newJob(): string {
  const time = Date.now().toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`
}

const startAfter = (at: number) => ({ startAfter: new Date(Math.min(at, maxTime)).toISOString() })

/** The end of the year 9999: the latest time that PostgreSQL and `toISOString` write alike. */
const maxTime = 253_402_300_799_000

/** The name of a handler's queue. pg-boss allows all of its characters, and people recognize the handler in it. */
function queueOf(handler: string): string {
  const known = queues.get(handler)
  if (known !== undefined) return known
  const readable = handler.replace(/[^\w.-]/g, '-').slice(0, 40)
  const queue = `${readable}/${hash('sha256', handler).slice(0, 12)}`
  queues.set(handler, queue)
  return queue
}

const queues = new Map<string, string>()

/** Timers of pg-boss that do not keep the process running. */
const unrefTimers: Clock = {
  now: () => Date.now(),
  setTimeout: (work, ms) => setTimeout(work, ms).unref(),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
  setInterval: (work, ms) => setInterval(work, ms).unref(),
  clearInterval: (timer) => clearInterval(timer as NodeJS.Timeout),
}

import type {
  AttemptResult,
  AvailableWork,
  ClaimedTask,
  DecideMatches,
  DeliveryStatus,
  HandlerPolicy,
  MatchOffer,
  MatchResult,
  NewDelivery,
  StoreResult,
} from '../inbox/inbox.ts'
import { Batcher, batcherLimits } from './batcher.ts'
import { type ClaimOptions, claim, isAhead } from './claim.ts'
import type { Session } from './connection.ts'
import type { ConnectionTarget } from './connection-target.ts'
import { Database, type Work } from './database.ts'
import { JobQueue } from './job-queue.ts'
import { releaseWorker } from './leases.ts'
import { Listener } from './listener.ts'
import { MaintenanceClient } from './maintenance-client.ts'
import { match } from './match.ts'
import { countMatchAttempt, forgetMatchAttempts } from './match-attempts.ts'
import { Notifier } from './notifier.ts'
import { checkDatabase, prepareDatabase } from './open.ts'
import type { PostgresSettings } from './options.ts'
import { registerWorker, updateWorker } from './registry.ts'
import { DeliveryWriter } from './store-deliveries.ts'
import { finish, type WorkerResult } from './tasks.ts'

/** What can be asked while the store is open. */
export interface OpenedStore {
  database: Database
  settings: PostgresSettings
  jobs: JobQueue
  /** Runs a transaction; when it has made something due, who waits for that is told. */
  write<T>(work: (session: Session, jobs: JobQueue) => Promise<T>): Promise<T>
}

/** A process's part of an inbox in PostgreSQL. It connects when it is first asked for something. */
export class PostgresStore {
  readonly #opened: OpenedStore
  readonly #door: Database
  readonly #keeping: MaintenanceClient
  readonly #listener: Listener
  readonly #notifier: Notifier
  /** By worker. */
  readonly #onWork = new Map<number, (work: AvailableWork) => void>()
  readonly #receiving: DeliveryWriter
  readonly #finishing: Batcher<WorkerResult, DeliveryStatus | undefined>
  #opening: Promise<void> | undefined
  #closed: Promise<void> | undefined
  /** What was asked for and is not answered yet. */
  readonly #asked = new Set<Promise<unknown>>()

  constructor(target: ConnectionTarget, settings: PostgresSettings) {
    const database = new Database(target, settings, { max: settings.connections - batcherLimits.lanes, name: 'worker' })
    this.#door = new Database(target, settings, { max: batcherLimits.lanes, name: 'receiver' })
    const options = { supervises: false, lookups: this.#door }
    const jobs = new JobQueue(database, settings.schema, options)
    this.#opened = { database, settings, jobs, write: (work) => this.#write(work) }
    this.#keeping = new MaintenanceClient(target, settings)
    this.#listener = new Listener(target, settings, (work) => {
      for (const onWork of this.#onWork.values()) onWork(work)
    })
    this.#notifier = new Notifier(database, settings.schema)
    this.#receiving = new DeliveryWriter(this.#door, () => this.#notifier.tell('unmatched'))
    this.#finishing = new Batcher(
      (told) => this.#transact((session) => finish(session, jobs, told)),
      ({ error = '', result = '', log = '' }) => error.length + result.length + log.length,
      { ...batcherLimits, lanes: 1 }, // fewer and larger transactions, since no sender waits for an outcome
    )
  }

  /** Does something that is done before the store is closed. @throws {Error} if it is closed. */
  ask<T>(work: (opened: OpenedStore) => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new Error('The inbox is closed'))
    const asked = this.#open().then(() => work(this.#opened))
    this.#asked.add(asked)
    return asked.finally(() => this.#asked.delete(asked))
  }

  write<T>(work: (session: Session, jobs: JobQueue) => Promise<T>): Promise<T> {
    return this.ask(({ write }) => write(work))
  }

  /** Stores a delivery, together with those that come at the same time. */
  keep(delivery: NewDelivery): Promise<StoreResult> {
    return this.ask(() => {
      this.#keeping.start() // whoever only stores needs pruning too
      return this.#receiving.keep(delivery)
    })
  }

  checkWritable(): Promise<void> {
    return this.ask(() => this.#receiving.checkWritable())
  }

  enlist(handlers: readonly HandlerPolicy[], onWork?: (work: AvailableWork) => void): Promise<number> {
    return this.ask(async ({ database, settings, jobs }) => {
      await jobs.prepare(namesOf(handlers))
      const worker = await registerWorker(database, handlers, settings.heartbeat)
      this.#keeping.addWorker(worker, handlers)
      if (onWork) {
        this.#onWork.set(worker, onWork)
        this.#listener.start()
      }
      return worker
    })
  }

  /** What is done by itself and failed the last time, and why. */
  get failing(): string | undefined {
    return this.#keeping.failing
  }

  announce(worker: number, handlers: readonly HandlerPolicy[]): Promise<void> {
    return this.ask(async ({ database, jobs }) => {
      await jobs.prepare(namesOf(handlers))
      this.#keeping.addWorker(worker, handlers)
      await updateWorker(database, worker, handlers)
    })
  }

  dismiss(worker: number): Promise<void> {
    return this.ask(async ({ write }) => {
      this.#keeping.removeWorker(worker)
      this.#onWork.delete(worker)
      await write((session, jobs) => releaseWorker(session, jobs, worker, Date.now()))
    })
  }

  match(worker: number, offer: MatchOffer, plan: DecideMatches): Promise<MatchResult> {
    return this.ask(({ jobs }) => this.#transact((session) => match(session, jobs, worker, offer, plan)))
  }

  /** On a connection of its own, since the rows that are being matched are locked by another. */
  countMatchAttempt(id: number): Promise<number> {
    return this.ask(() => countMatchAttempt(this.#door, id))
  }

  forgetMatchAttempts(id: number): Promise<void> {
    return this.ask(() => forgetMatchAttempts(this.#door, [id]))
  }

  claim(worker: number, options: Omit<ClaimOptions, 'worker'>): Promise<ClaimedTask[]> {
    const { wanted, now } = options
    const open = Object.entries(wanted).filter(([, limit]) => limit > 0)
    return this.ask(async ({ database, jobs }) => {
      const names = open.map(([handler]) => handler)
      await jobs.prepare(names)
      const ready = await jobs.whenReady(database, names, isAhead(now))
      if (ready.size === 0) return []
      const those = Object.fromEntries(open.filter(([handler]) => ready.has(handler)))
      for (let round = 0; round < maxClaimRounds; round++) {
        const { claimed, more } = await this.#transact((session) => {
          return claim(session, jobs, { ...options, worker, wanted: those })
        })
        if (claimed.length > 0 || !more) return claimed
      }
      return []
    })
  }

  finish(worker: number, outcomes: readonly AttemptResult[]): Promise<DeliveryStatus[]> {
    return this.ask(async () => {
      const told = await Promise.all(outcomes.map((outcome) => this.#finishing.add({ ...outcome, worker })))
      return [...new Map(told.flatMap((one) => (one ? [[one.id, one]] : []))).values()]
    })
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#asked)
    const { database, jobs } = this.#opened
    if (this.#opening) {
      await this.#receiving.close().catch(() => undefined)
    }
    await this.#keeping.close()
    await this.#listener.close()
    await jobs.stop().catch(() => undefined)
    await Promise.all([database.close(), this.#door.close()])
  }

  /** Once; but again after it has failed. */
  #open(): Promise<void> {
    this.#opening ??= this.#prepare().catch((cause: Error) => {
      this.#opening = undefined
      throw new Error(`Cannot open the inbox in PostgreSQL: ${cause.message}`, { cause })
    })
    return this.#opening
  }

  async #prepare(): Promise<void> {
    const { database, settings, jobs } = this.#opened
    if (settings.migrate) await prepareDatabase(database, settings)
    else await checkDatabase(database, settings)
    await jobs.start()
  }

  #write<T>(work: (session: Session, jobs: JobQueue) => Promise<T>): Promise<T> {
    return this.#transact(async (session) => {
      const worked = await work(session, this.#opened.jobs)
      return () => Promise.resolve(worked)
    })
  }

  async #transact<T>(work: Work<T>): Promise<T> {
    let last: Session | undefined
    const result = await this.#opened.database.transact((session) => {
      last = session
      return work(session)
    })
    if (last?.unmatched) this.#notifier.tell('unmatched')
    if (last?.due) this.#notifier.tell('due')
    return result
  }
}

/** Transactions of one claim that find only jobs that cannot begin: the next claim goes on. */
const maxClaimRounds = 10

const namesOf = (handlers: readonly HandlerPolicy[]): string[] => handlers.map(({ name }) => name)

import type { Count, CountQuery } from '../inbox/counts.ts'
import type { Failure } from '../inbox/failure.ts'
import type { Gap, Sought } from '../inbox/gaps.ts'
import type { ImportedDelivery } from '../inbox/imported-delivery.ts'
import type {
  AttemptResult,
  AvailableWork,
  ClaimedTask,
  DecideMatches,
  DeliveryStatus,
  HandlerPolicy,
  Inbox,
  MatchOffer,
  MatchResult,
  NewDelivery,
  StoredDelivery,
  StoreResult,
} from '../inbox/inbox.ts'
import type { ProcessInfo, RegisteredProcess } from '../inbox/processes.ts'
import type { Query, Selection } from '../inbox/query/query.ts'
import { forEachSelected } from '../inbox/query/selection.ts'
import type { ValueQuery } from '../inbox/query/values.ts'
import type { Changes, DeliveryDetail, InboxOverview, Page, Rejection, Rejections } from '../inbox/records.ts'
import { changes } from './changes.ts'
import { type PoolLike, toTarget } from './connection-target.ts'
import { Database } from './database.ts'
import { failures } from './failures.ts'
import { importDeliveries } from './import.ts'
import {
  addCounts,
  compareAndSet,
  counts,
  createdAt,
  getValue,
  recordRejections,
  rejections,
  setValue,
} from './metadata.ts'
import { prepareDatabase } from './open.ts'
import { discard, retry } from './operate.ts'
import { type PostgresOptions, resolvePostgresOptions } from './options.ts'
import { body, get, load, overview } from './read.ts'
import { gaps, held, lease, noteGaps } from './recovering.ts'
import { heartbeat, processes, unregister } from './registry.ts'
import { pruneAll, pruneBatch } from './retention.ts'
import { list } from './search.ts'
import { PayloadSearch } from './search-client.ts'
import { type OpenedStore, PostgresStore } from './store.ts'
import { values } from './values.ts'

export type { PoolLike } from './connection-target.ts'
export type { PostgresOptions } from './options.ts'

/**
 * An inbox in PostgreSQL, for any number of machines: `new Hooks({ inbox: postgres(process.env.DATABASE_URL) })`. What is
 * answered 2xx is committed and flushed to disk, whatever the database's own defaults are. It connects when it is first
 * asked for something, and makes its tables then.
 * @param target `postgres://user:password@host:port/database?sslmode=…`; or a pool of `pg`, whose settings are used:
 * connections are the inbox's own, so that what else the application does cannot leave it without one.
 * @throws {TypeError} naming what does not fit.
 */
export function postgres(target: string | PoolLike, options: PostgresOptions = {}): Inbox {
  return new PostgresInbox(new PostgresStore(toTarget(target), resolvePostgresOptions(options)))
}

/**
 * Makes the tables of an inbox, or brings them up to date, for those whose applications may not: they say
 * `migrate: false` then. Programs of before go on beside it.
 * @returns how many steps were taken.
 * @throws {Error} naming the cure.
 */
export async function migratePostgres(
  target: string | PoolLike,
  options: PostgresOptions = {},
): Promise<{ taken: number }> {
  const settings = resolvePostgresOptions(options)
  const database = new Database(toTarget(target), settings, { max: 1, name: 'migrate' })
  try {
    return { taken: await prepareDatabase(database, settings) }
  } finally {
    await database.close()
  }
}

/** Each call is one transaction, or one of a group that shares it. */
class PostgresInbox implements Inbox {
  readonly pollInterval = 1000
  readonly #store: PostgresStore
  readonly #searching = new PayloadSearch()

  constructor(store: PostgresStore) {
    this.#store = store
  }

  store(delivery: NewDelivery): Promise<StoreResult> {
    return this.#store.keep(delivery)
  }

  checkWritable(): Promise<void> {
    return this.#store.checkWritable()
  }

  registerWorker(handlers: readonly HandlerPolicy[], onWork?: (work: AvailableWork) => void): Promise<number> {
    return this.#store.enlist(handlers, onWork)
  }

  updateWorker(worker: number, handlers: readonly HandlerPolicy[]): Promise<void> {
    return this.#store.announce(worker, handlers)
  }

  releaseWorker(worker: number): Promise<void> {
    return this.#store.dismiss(worker)
  }

  match(worker: number, offer: MatchOffer, plan: DecideMatches): Promise<MatchResult> {
    return this.#store.match(worker, offer, plan)
  }

  countMatchAttempt(id: number): Promise<number> {
    return this.#store.countMatchAttempt(id)
  }

  forgetMatchAttempts(id: number): Promise<void> {
    return this.#store.forgetMatchAttempts(id)
  }

  claim(
    worker: number,
    wanted: Readonly<Record<string, number>>,
    bytes: number,
    now: number,
    largest = Number.POSITIVE_INFINITY,
  ): Promise<ClaimedTask[]> {
    return this.#store.claim(worker, { wanted, bytes, now, largest })
  }

  load(ids: readonly number[]): Promise<StoredDelivery[]> {
    return this.#store.ask(({ database }) => load(database, ids))
  }

  finish(worker: number, outcomes: readonly AttemptResult[]): Promise<DeliveryStatus[]> {
    return this.#store.finish(worker, outcomes)
  }

  list(query: Query): Promise<Page> {
    return this.#store.ask(({ database }) => list(database, query, this.#searching))
  }

  get(id: number): Promise<DeliveryDetail | undefined> {
    return this.#store.ask(({ database }) => get(database, id))
  }

  body(id: number): Promise<Uint8Array | undefined> {
    return this.#store.ask(({ database }) => body(database, id))
  }

  overview(): Promise<InboxOverview> {
    return this.#store.ask(async ({ database }) => ({ ...(await overview(database)), failing: this.#store.failing }))
  }

  values(query: ValueQuery): Promise<string[]> {
    return this.#store.ask(({ database }) => values(database, query))
  }

  failures(): Promise<Failure[]> {
    return this.#store.ask(({ database }) => failures(database))
  }

  changes(after?: string): Promise<Changes> {
    return this.#store.ask(({ database }) => changes(database, after))
  }

  retry(selection: Selection): Promise<number> {
    return this.#act(selection, ({ write }, ids) => write((session, jobs) => retry(session, jobs, ids)))
  }

  discard(selection: Selection, reason: string): Promise<number> {
    return this.#act(selection, ({ write }, ids) => write((session, jobs) => discard(session, jobs, ids, reason)))
  }

  importDeliveries(deliveries: readonly ImportedDelivery[]): Promise<number> {
    const handlers = new Set(deliveries.flatMap(({ delivery }) => delivery.tasks.map(({ handler }) => handler)))
    return this.#store.ask(async ({ jobs, write }) => {
      await jobs.prepare(handlers)
      return write((session) => importDeliveries(session, jobs, deliveries))
    })
  }

  pause(handler: string): Promise<void> {
    return this.#store.ask(async ({ database }) => void (await database.run(insertPause, handler)))
  }

  async resume(handler: string): Promise<void> {
    await this.#store.write((session) => {
      session.due = true
      return session.run('delete from pauses where handler = $1', handler)
    })
  }

  prune(now: number): Promise<number> {
    return this.#store.ask(async ({ database, settings }) => {
      return pruneAll(() => database.transaction((session) => pruneBatch(session, settings.retention, now)))
    })
  }

  recordRejections(latest: readonly Rejection[]): Promise<void> {
    return this.#store.write((session) => recordRejections(session, latest))
  }

  rejections(): Promise<Rejections> {
    return this.#store.ask(({ database }) => rejections(database))
  }

  addCounts(counted: readonly Count[]): Promise<void> {
    return this.#store.write((session) => addCounts(session, counted))
  }

  counts(query: CountQuery): Promise<Count[]> {
    return this.#store.ask(({ database }) => counts(database, query))
  }

  held(sought: Sought): Promise<string[]> {
    return this.#store.ask(({ database }) => held(database, sought))
  }

  noteGaps(found: readonly Gap[]): Promise<void> {
    return this.#store.write((session) => noteGaps(session, found))
  }

  gaps(): Promise<Gap[]> {
    return this.#store.ask(({ database }) => gaps(database))
  }

  lease(name: string, holder: string, ms: number): Promise<boolean> {
    return this.#store.write((session) => lease(session, name, holder, ms))
  }

  createdAt(): Promise<number> {
    return this.#store.ask(({ database }) => createdAt(database))
  }

  heartbeat(presence: ProcessInfo): Promise<void> {
    return this.#store.ask(({ database }) => heartbeat(database, presence))
  }

  unregister(id: string): Promise<void> {
    return this.#store.ask(({ database }) => unregister(database, id))
  }

  processes(): Promise<RegisteredProcess[]> {
    return this.#store.ask(({ database }) => processes(database))
  }

  setValue(name: string, value: string): Promise<void> {
    return this.#store.write((session) => setValue(session, name, value))
  }

  getValue(name: string): Promise<string | undefined> {
    return this.#store.ask(({ database }) => getValue(database, name))
  }

  compareAndSet(name: string, expected: string | undefined, value: string): Promise<boolean> {
    return this.#store.write((session) => compareAndSet(session, name, expected, value))
  }

  async close(): Promise<void> {
    await this.#store.close()
    await this.#searching.close()
  }

  #act(selection: Selection, act: (opened: OpenedStore, ids: readonly number[]) => Promise<number>): Promise<number> {
    return this.#store.ask((opened) => {
      return forEachSelected(
        (query) => list(opened.database, query, this.#searching),
        selection,
        (ids) => act(opened, ids),
      )
    })
  }
}

const insertPause = 'insert into pauses (handler) values ($1) on conflict do nothing'

import type { Failure } from '../inbox/attempt-stats.ts'
import type { Count, CountQuery } from '../inbox/counts.ts'
import type { Inbox, NewDelivery, StoreResult } from '../inbox/inbox.ts'
import type { GuidLookup, MissedDelivery } from '../inbox/missed-deliveries.ts'
import type { ImportedDelivery } from '../inbox/operations.ts'
import type { ProcessInfo, RegisteredProcess } from '../inbox/processes.ts'
import { forEachSelected } from '../inbox/query/paging.ts'
import type { Query, Selection } from '../inbox/query/query.ts'
import type { ValueQuery } from '../inbox/query/values.ts'
import type { Changes, DeliveryDetail, InboxOverview, Page, Rejection, Rejections } from '../inbox/records.ts'
import { failures } from './attempt-stats.ts'
import { changes } from './changes.ts'
import { PostgresClient } from './client.ts'
import { DeliveryWriter } from './delivery-writer.ts'
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
import { knownGuids, lease, missedDeliveries, saveMissedDeliveries } from './missed-deliveries.ts'
import { discard, retry } from './operate.ts'
import type { ConnectionTarget, PostgresSettings } from './options.ts'
import { body, get, overview, values } from './read.ts'
import { heartbeat, processes, unregister } from './registry.ts'
import { pruneAll, pruneBatch } from './retention.ts'
import { list } from './search.ts'
import { PostgresTaskQueue } from './task-queue.ts'
import { PayloadSearch } from './threads.ts'
import type { Transaction } from './transaction.ts'

/** The task queue with the other roles of an inbox. Most methods are one call of the client. */
export class PostgresInbox extends PostgresTaskQueue implements Inbox {
  readonly pollInterval = 1000
  readonly #client: PostgresClient
  readonly #writer: DeliveryWriter
  readonly #search = new PayloadSearch()
  #closing: Promise<void> | undefined

  constructor(target: ConnectionTarget, settings: PostgresSettings) {
    const client = new PostgresClient(target, settings)
    super(client)
    this.#client = client
    this.#writer = new DeliveryWriter(client)
  }

  // DeliveryStore

  store(delivery: NewDelivery): Promise<StoreResult> {
    return this.#writer.store(delivery)
  }

  checkWritable(): Promise<void> {
    return this.#writer.checkWritable()
  }

  // DeliveryReader

  list(query: Query): Promise<Page> {
    return this.#client.run((database) => list(database, query, this.#search))
  }

  get(id: number): Promise<DeliveryDetail | undefined> {
    return this.#client.run((database) => get(database, id))
  }

  body(id: number): Promise<Uint8Array | undefined> {
    return this.#client.run((database) => body(database, id))
  }

  overview(): Promise<InboxOverview> {
    return this.#client.run(async (database) => {
      return { ...(await overview(database)), failing: this.#client.maintenance.failing }
    })
  }

  values(query: ValueQuery): Promise<string[]> {
    return this.#client.run((database) => values(database, query))
  }

  failures(): Promise<Failure[]> {
    return this.#client.run(failures)
  }

  changes(after?: string): Promise<Changes> {
    return this.#client.run((database) => changes(database, after))
  }

  rejections(): Promise<Rejections> {
    return this.#client.run(rejections)
  }

  counts(query: CountQuery): Promise<Count[]> {
    return this.#client.run((database) => counts(database, query))
  }

  // Operations

  retry(selection: Selection): Promise<number> {
    return this.#forEachSelected(selection, (transaction, ids) => retry(transaction, this.#client.jobs, ids))
  }

  discard(selection: Selection, reason: string): Promise<number> {
    return this.#forEachSelected(selection, (transaction, ids) => discard(transaction, this.#client.jobs, ids, reason))
  }

  importDeliveries(deliveries: readonly ImportedDelivery[]): Promise<number> {
    const { jobs } = this.#client
    const handlers = new Set(deliveries.flatMap(({ delivery }) => delivery.tasks.map(({ handler }) => handler)))
    return this.#client.call(async () => {
      await jobs.prepare(handlers)
      return this.#client.transaction((transaction) => importDeliveries(transaction, jobs, deliveries))
    })
  }

  async pause(handler: string): Promise<void> {
    await this.#client.run((database) => database.run(insertPause, handler))
  }

  async resume(handler: string): Promise<void> {
    await this.#client.write((transaction) => {
      transaction.due = true
      return transaction.run(deletePause, handler)
    })
  }

  prune(now: number): Promise<number> {
    const { retention } = this.#client.settings
    return this.#client.run((database) => {
      return pruneAll(() => database.transaction((transaction) => pruneBatch(transaction, retention, now)))
    })
  }

  // Metadata

  recordRejections(latest: readonly Rejection[]): Promise<void> {
    return this.#client.write((transaction) => recordRejections(transaction, latest))
  }

  addCounts(counted: readonly Count[]): Promise<void> {
    return this.#client.write((transaction) => addCounts(transaction, counted))
  }

  knownGuids(lookup: GuidLookup): Promise<string[]> {
    return this.#client.run((database) => knownGuids(database, lookup))
  }

  saveMissedDeliveries(found: readonly MissedDelivery[]): Promise<void> {
    return this.#client.write((transaction) => saveMissedDeliveries(transaction, found))
  }

  missedDeliveries(): Promise<MissedDelivery[]> {
    return this.#client.run(missedDeliveries)
  }

  lease(name: string, holder: string, ms: number): Promise<boolean> {
    return this.#client.write((transaction) => lease(transaction, name, holder, ms))
  }

  createdAt(): Promise<number> {
    return this.#client.run(createdAt)
  }

  setValue(name: string, value: string): Promise<void> {
    return this.#client.write((transaction) => setValue(transaction, name, value))
  }

  getValue(name: string): Promise<string | undefined> {
    return this.#client.run((database) => getValue(database, name))
  }

  compareAndSet(name: string, expected: string | undefined, value: string): Promise<boolean> {
    return this.#client.write((transaction) => compareAndSet(transaction, name, expected, value))
  }

  heartbeat(info: ProcessInfo): Promise<void> {
    return this.#client.run((database) => heartbeat(database, info))
  }

  unregister(id: string): Promise<void> {
    return this.#client.run((database) => unregister(database, id))
  }

  processes(): Promise<RegisteredProcess[]> {
    return this.#client.run(processes)
  }

  close(): Promise<void> {
    this.#closing ??= this.#client
      .close(() => this.#writer.flush().catch(() => undefined))
      .then(() => this.#search.close())
    return this.#closing
  }

  #forEachSelected(
    selection: Selection,
    operate: (transaction: Transaction, ids: readonly number[]) => Promise<number>,
  ): Promise<number> {
    return this.#client.run((database) => {
      return forEachSelected(
        (query) => list(database, query, this.#search),
        selection,
        (ids) => this.#client.transaction((transaction) => operate(transaction, ids)),
      )
    })
  }
}

const insertPause = 'insert into pauses (handler) values ($1) on conflict do nothing'

const deletePause = 'delete from pauses where handler = $1'

import type { NewAuditEntry } from '../inbox/audit-log.ts'
import type { ImportedDelivery, NewDelivery, RetryOptions, Store, StoreResult } from '../inbox/inbox.ts'
import { forEachBatch, forEachSelected } from '../inbox/operation-batches.ts'
import type { Query, SelectedIds, Selection } from '../inbox/query/query.ts'
import type { InboxOverview, MaintenanceFailure, OldTransaction, Page } from '../inbox/records.ts'
import { withCallerStack } from '../runtime/call-site.ts'
import { assertNodeVersion } from '../runtime/node-version.ts'
import { PostgresClient } from './client.ts'
import { Database, type Transaction } from './connection/database.ts'
import { prepareDatabase } from './connection/open.ts'
import { failures } from './delivery-reader/attempt-stats.ts'
import { changes } from './delivery-reader/changes.ts'
import { failureGroup, failureGroups } from './delivery-reader/failure-groups.ts'
import { body, get, overview, values } from './delivery-reader/read.ts'
import { list } from './delivery-reader/search.ts'
import { timeCounts } from './delivery-reader/time-counts.ts'
import { DeliveryWriter } from './delivery-store/delivery-writer.ts'
import { auditEntries, deleteOldEntries, recordAction, recordChange } from './metadata/audit-log.ts'
import { handlerLoads } from './metadata/handler-loads.ts'
import { createdAt, knownGuids, missedDeliveries, saveMissedDeliveries } from './metadata/missed-deliveries.ts'
import { heartbeat, processes, unregister } from './metadata/processes.ts'
import { compareAndSet, getValue, lease, setValue } from './metadata/shared-state.ts'
import { addCounts, counts, oldTransaction, recordRejections, rejections } from './metadata/statistics.ts'
import { deliveriesOfFailure, discardFailures, retryFailures } from './operations/failure-groups.ts'
import { importDeliveries } from './operations/import.ts'
import { discard, pause, resume, retry, retryHandler } from './operations/operate.ts'
import { pruneAll, pruneBatch } from './operations/retention.ts'
import { type PoolLike, type PostgresOptions, resolvePostgresOptions, toTarget } from './options.ts'
import { PostgresTaskQueue } from './task-queue/task-queue.ts'
import { PayloadSearch } from './threads.ts'

assertNodeVersion()

export type { PoolLike, PostgresOptions } from './options.ts'

/**
 * An inbox in PostgreSQL, for any number of machines: `new Hooks({ inbox: postgres(process.env.DATABASE_URL) })`. A
 * delivery that is answered 2xx is committed and flushed to disk, even if `synchronous_commit` is off by default in the
 * database. The inbox connects, and creates its tables, when it is first used.
 * @param target A URL, `postgres://user:password@host:port/database?sslmode=…`, or a pool of `pg`. The inbox uses the
 *   settings of the pool, but opens connections of its own, so that the rest of the application cannot use up the
 *   connections of the inbox.
 * @throws {TypeError} naming the invalid argument.
 */
export function postgres(target: string | PoolLike, options: PostgresOptions = {}): Store {
  const settings = withCallerStack([postgres], () => resolvePostgresOptions(options))
  const client = new PostgresClient(toTarget(target), settings)
  return Object.assign(
    new PostgresInbox(client),
    methodsOf<Database, typeof databaseFunctions>(databaseFunctions, (work) => client.run(work)),
    methodsOf<Transaction, typeof transactionFunctions>(transactionFunctions, (work) => client.write(work)),
  )
}

/**
 * Creates or migrates the tables of an inbox, for applications that do not have the permission to do so and set
 * `migrate: false`. Processes of the previous version can still use the tables.
 * @returns the number of migrations that ran.
 * @throws {Error} if the tables cannot be created or migrated.
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

/** The methods of the inbox that call one function with the database. */
const databaseFunctions = {
  timeCounts,
  get,
  body,
  values,
  failures,
  failureGroups,
  failureGroup,
  changes,
  rejections,
  counts,
  handlerLoads,
  auditEntries,
  knownGuids,
  missedDeliveries,
  createdAt,
  getValue,
  heartbeat,
  unregister,
  processes,
}

/** The methods of the inbox that call one function in a transaction. */
const transactionFunctions = {
  recordRejections,
  addCounts,
  recordAction,
  pause,
  resume,
  saveMissedDeliveries,
  lease,
  setValue,
  compareAndSet,
}

type ForwardedMethod = keyof typeof databaseFunctions | keyof typeof transactionFunctions

type Methods<Functions> = {
  [Name in keyof Functions]: Functions[Name] extends (context: never, ...args: infer Args) => infer Result
    ? (...args: Args) => Result
    : never
}

/** Functions without their first argument, which `run` passes. */
function methodsOf<Context, Functions extends Record<string, (context: Context, ...args: never[]) => Promise<unknown>>>(
  functions: Functions,
  run: (work: (context: Context) => Promise<unknown>) => Promise<unknown>,
): Methods<Functions> {
  const methods = Object.entries(functions).map(([name, work]) => {
    return [name, (...args: never[]) => run((context) => work(context, ...args))]
  })
  return Object.fromEntries(methods)
}

/** Changes some of the deliveries. @returns their ids. */
type Operate = (transaction: Transaction, selected: SelectedIds) => Promise<number[]>

/** The remaining methods of the inbox, including the methods of the task queue. */
class PostgresInbox extends PostgresTaskQueue implements Omit<Store, ForwardedMethod> {
  readonly #client: PostgresClient
  readonly #writer: DeliveryWriter
  readonly #search = new PayloadSearch()
  #closing: Promise<void> | undefined

  constructor(client: PostgresClient) {
    super(client)
    this.#client = client
    this.#writer = new DeliveryWriter(client)
  }

  store(delivery: NewDelivery): Promise<StoreResult> {
    return this.#writer.store(delivery)
  }

  checkWritable(): Promise<void> {
    return this.#writer.checkWritable()
  }

  list(query: Query): Promise<Page> {
    return this.#client.run((database) => list(database, query, this.#search))
  }

  overview(): Promise<InboxOverview> {
    return this.#client.run(async (database) => {
      const [known, old] = await Promise.all([overview(database), oldTransaction(database)])
      const { failing } = this.#client.maintenance
      return { ...known, ...(failing.length > 0 && { failing }), oldTransaction: old }
    })
  }

  async maintenanceFailures(): Promise<readonly MaintenanceFailure[]> {
    return this.#client.maintenance.failing
  }

  oldTransaction(): Promise<OldTransaction | undefined> {
    return this.#client.run((database) => oldTransaction(database))
  }

  retry(selection: Selection, { handler, entry }: RetryOptions = {}): Promise<number> {
    return this.#forEachSelected(selection, entry, (transaction, selected) => {
      return handler === undefined ? retry(transaction, selected) : retryHandler(transaction, selected, handler)
    })
  }

  discard(selection: Selection, reason: string, entry?: NewAuditEntry): Promise<number> {
    return this.#forEachSelected(selection, entry, (transaction, selected) => discard(transaction, selected, reason))
  }

  retryFailures(id: number, entry?: NewAuditEntry): Promise<number> {
    return this.#forEachFailure(id, entry, (transaction, { ids }) => retryFailures(transaction, id, ids))
  }

  discardFailures(id: number, reason: string, entry?: NewAuditEntry): Promise<number> {
    return this.#forEachFailure(id, entry, (transaction, { ids }) => discardFailures(transaction, id, ids, reason))
  }

  importDeliveries(deliveries: readonly ImportedDelivery[], entry?: NewAuditEntry): Promise<number> {
    return this.#client.write((transaction) => importDeliveries(transaction, deliveries, entry))
  }

  prune(now: number): Promise<number> {
    const { retention } = this.#client.settings
    return this.#client.run(async (database) => {
      const pruned = await pruneAll(() => {
        return database.transaction((transaction) => pruneBatch(transaction, retention, now))
      })
      await database.transaction((transaction) => deleteOldEntries(transaction, this.#client.settings, now))
      return pruned
    })
  }

  close(): Promise<void> {
    this.#closing ??= this.#client
      .close(() => this.#writer.flush().catch(() => undefined))
      .then(() => this.#search.close())
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #forEachFailure(group: number, entry: NewAuditEntry | undefined, operate: Operate): Promise<number> {
    return this.#client.run(async (database) => {
      return forEachBatch(await deliveriesOfFailure(database, group), (ids) => this.#change({ ids }, entry, operate))
    })
  }

  #forEachSelected(selection: Selection, entry: NewAuditEntry | undefined, operate: Operate): Promise<number> {
    return this.#client.run((database) => {
      return forEachSelected(
        (query) => list(database, query, this.#search),
        selection,
        (selected) => this.#change(selected, entry, operate),
      )
    })
  }

  /** Changes deliveries, and records the change in the same transaction. @returns the number of changed deliveries. */
  #change(selected: SelectedIds, entry: NewAuditEntry | undefined, operate: Operate): Promise<number> {
    return this.#client.transaction(async (transaction) => {
      const deliveries = await operate(transaction, selected)
      await recordChange(transaction, entry, { count: deliveries.length, deliveries })
      return deliveries.length
    })
  }
}

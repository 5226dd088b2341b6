import { resolve } from 'node:path'
import type { Count, CountQuery } from '../inbox/counts.ts'
import type { Failure } from '../inbox/failure.ts'
import type { Gap, Sought } from '../inbox/gaps.ts'
import type { ImportedDelivery } from '../inbox/imported-delivery.ts'
import type {
  AttemptResult,
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
import { type StoredDeliveryRow, toStoredDelivery } from '../inbox/rows.ts'
import { Mutex } from '../runtime/mutex.ts'
import { publishCommitted } from './committed.ts'
import { prepareFile } from './open.ts'
import { resolveSqliteOptions, type SqliteOptions } from './options.ts'
import { encodeDelivery } from './store.ts'
import { ThreadClient, threadEntry } from './thread-client.ts'
import { UnmatchedReader } from './unmatched-reader.ts'

export type { SqliteOptions } from './options.ts'

/**
 * An inbox in a file: `new Hooks({ inbox: sqlite('hookserver.db') })`. The file is made if it is not there, readable
 * for its owner alone; several processes of one machine may share it. What is answered 2xx is on disk.
 * @param path On a local disk: SQLite's write-ahead log does not work on network file systems.
 * @throws {Error} naming the cure, if the file cannot be opened, is damaged, or was written by a newer hookserver.
 * @throws {TypeError} naming the option that does not fit.
 */
export function sqlite(path: string, options: SqliteOptions = {}): Inbox {
  if (typeof path !== 'string' || path === '' || path.startsWith(':memory:') || path.includes('://')) {
    // The value may be an address with a password, so it is not shown.
    throw new TypeError('sqlite(path): expected the path of a file; postgres(url) of hookserver/postgres takes a URL')
  }
  return new SqliteInbox(resolve(path), options)
}

/** Hands everything on to the two threads. */
class SqliteInbox implements Inbox {
  readonly pollInterval = 200
  readonly #writer: ThreadClient
  readonly #keeper: ThreadClient
  /** The workers whose heartbeats the keeper sends: also one that takes the place of another that died. */
  readonly #held = new Map<number, readonly HandlerPolicy[]>()
  /** Looking into payloads takes long. */
  readonly #searches = new Mutex()
  readonly #unmatched = new UnmatchedReader(async ({ limit, bytes }, after) => {
    return (await this.#keeper.call<StoredDeliveryRow[]>('readUnmatched', limit, bytes, after)).map(toStoredDelivery)
  })
  /** What takes several calls, and is under way. */
  readonly #wholes = new Set<Promise<unknown>>()
  #closed: Promise<void> | undefined

  constructor(path: string, options: SqliteOptions) {
    const settings = { path, ...resolveSqliteOptions(options) }
    threadEntry()
    prepareFile(path)
    this.#writer = new ThreadClient({ ...settings, role: 'writer' }, undefined, publishCommitted)
    this.#keeper = new ThreadClient({ ...settings, role: 'keeper' }, () =>
      [...this.#held].map((worker) => ({ method: 'addWorker', args: worker })),
    )
  }

  async store(delivery: NewDelivery): Promise<StoreResult> {
    this.#keeper.start() // whoever only stores needs checkpoints and pruning too
    const packed = encodeDelivery(delivery)
    if (!(packed instanceof Promise)) return this.#writer.call('store', packed)
    return this.#whole(async () => this.#writer.call<StoreResult>('store', await packed))
  }

  checkWritable(): Promise<void> {
    return this.#writer.call('checkWritable')
  }

  registerWorker(handlers: readonly HandlerPolicy[]): Promise<number> {
    return this.#whole(async () => {
      const worker = await this.#writer.call<number>('registerWorker', handlers)
      this.#held.set(worker, handlers)
      try {
        await this.#keeper.call('addWorker', worker, handlers)
      } catch (error) {
        this.#held.delete(worker) // nobody will ever know its number: it must not beat for ever
        throw error
      }
      return worker
    })
  }

  updateWorker(worker: number, handlers: readonly HandlerPolicy[]): Promise<void> {
    return this.#whole(async () => {
      this.#held.set(worker, handlers)
      await this.#keeper.call('addWorker', worker, handlers)
      await this.#writer.call('updateWorker', worker, handlers)
    })
  }

  releaseWorker(worker: number): Promise<void> {
    return this.#whole(async () => {
      this.#held.delete(worker)
      this.#unmatched.forget(worker)
      await this.#keeper.call('removeWorker', worker)
      await this.#writer.call('releaseWorker', worker)
    })
  }

  match(worker: number, offer: MatchOffer, plan: DecideMatches): Promise<MatchResult> {
    return this.#whole(async () => {
      const offered = await this.#unmatched.take(worker, offer)
      const plans = offered.length > 0 ? await plan(offered) : []
      if (plans.length === 0) return { matched: 0, claimed: [] }
      if (plans.length === offered.length) this.#unmatched.readAhead(worker, offer, offered)
      return this.#writer.call<MatchResult>('recordMatches', worker, plans, offer.now)
    })
  }

  countMatchAttempt(id: number): Promise<number> {
    return this.#writer.call('countMatchAttempt', id)
  }

  forgetMatchAttempts(id: number): Promise<void> {
    return this.#writer.call('forgetMatchAttempts', id)
  }

  claim(
    worker: number,
    wanted: Readonly<Record<string, number>>,
    bytes: number,
    now: number,
    largest = Number.POSITIVE_INFINITY,
  ): Promise<ClaimedTask[]> {
    return this.#writer.call('claim', worker, wanted, bytes, now, Math.min(largest, Number.MAX_SAFE_INTEGER))
  }

  async load(ids: readonly number[]): Promise<StoredDelivery[]> {
    return (await this.#keeper.call<StoredDeliveryRow[]>('load', ids)).map(toStoredDelivery)
  }

  finish(worker: number, outcomes: readonly AttemptResult[]): Promise<DeliveryStatus[]> {
    return this.#writer.call('finish', worker, outcomes)
  }

  list(query: Query): Promise<Page> {
    const list = () => this.#keeper.call<Page>('list', query)
    if (!query.paths || query.paths.length === 0) return list()
    // Whatever else is asked of the thread comes between two of them.
    return this.#whole(() => this.#searches.run(list))
  }

  get(id: number): Promise<DeliveryDetail | undefined> {
    return this.#keeper.call('get', id)
  }

  body(id: number): Promise<Uint8Array | undefined> {
    return this.#keeper.call('body', id)
  }

  overview(): Promise<InboxOverview> {
    return this.#keeper.call('overview')
  }

  values(query: ValueQuery): Promise<string[]> {
    return this.#keeper.call('values', query)
  }

  failures(): Promise<Failure[]> {
    return this.#keeper.call('failures')
  }

  changes(after?: string): Promise<Changes> {
    return this.#keeper.call('changes', after)
  }

  retry(selection: Selection): Promise<number> {
    return this.#forAll(selection, (ids) => this.#writer.call('retry', ids))
  }

  discard(selection: Selection, reason: string): Promise<number> {
    return this.#forAll(selection, (ids) => this.#writer.call('discard', ids, reason))
  }

  importDeliveries(deliveries: readonly ImportedDelivery[]): Promise<number> {
    return this.#writer.call('importDeliveries', deliveries)
  }

  pause(handler: string): Promise<void> {
    return this.#writer.call('pause', handler)
  }

  resume(handler: string): Promise<void> {
    return this.#writer.call('resume', handler)
  }

  prune(now: number): Promise<number> {
    return this.#whole(async () => {
      let pruned = 0
      for (let batch = -1; batch !== 0; pruned += batch) batch = await this.#keeper.call<number>('prune', now)
      return pruned
    })
  }

  recordRejections(refusals: readonly Rejection[], counts: Readonly<Record<string, number>>): Promise<void> {
    return this.#writer.call('recordRejections', refusals, counts)
  }

  rejections(): Promise<Rejections> {
    return this.#keeper.call('rejections')
  }

  addCounts(counts: readonly Count[]): Promise<void> {
    return this.#writer.call('addCounts', counts)
  }

  counts(query: CountQuery): Promise<Count[]> {
    return this.#keeper.call('counts', query)
  }

  held(sought: Sought): Promise<string[]> {
    return this.#keeper.call('held', sought)
  }

  noteGaps(gaps: readonly Gap[]): Promise<void> {
    return this.#writer.call('noteGaps', gaps)
  }

  gaps(): Promise<Gap[]> {
    return this.#keeper.call('gaps')
  }

  lease(name: string, holder: string, ms: number): Promise<boolean> {
    return this.#writer.call('lease', name, holder, ms)
  }

  createdAt(): Promise<number> {
    return this.#keeper.call('createdAt')
  }

  setValue(name: string, text: string): Promise<void> {
    return this.#writer.call('setValue', name, text)
  }

  getValue(name: string): Promise<string | undefined> {
    return this.#keeper.call('getValue', name)
  }

  compareAndSet(name: string, expected: string | undefined, text: string): Promise<boolean> {
    return this.#writer.call('compareAndSet', name, expected, text)
  }

  heartbeat(presence: ProcessInfo): Promise<void> {
    return this.#writer.call('heartbeat', presence)
  }

  unregister(id: string): Promise<void> {
    return this.#writer.call('unregister', id)
  }

  processes(): Promise<RegisteredProcess[]> {
    return this.#keeper.call('processes')
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    if (this.#wholes.size > 0) await Promise.allSettled(this.#wholes)
    await this.#writer.close()
    await this.#keeper.close()
  }

  /** Does what takes several calls, all of which are made before the threads end. */
  #whole<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new Error('The inbox is closed'))
    const whole = work()
    this.#wholes.add(whole)
    return whole.finally(() => this.#wholes.delete(whole))
  }

  #forAll(selection: Selection, act: (ids: readonly number[]) => Promise<number>): Promise<number> {
    return this.#whole(() => forEachSelected((query) => this.list(query), selection, act))
  }
}

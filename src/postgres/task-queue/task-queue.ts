import type {
  AttemptResult,
  AvailableWork,
  ClaimedTask,
  ClaimRequest,
  Clock,
  DecideMatches,
  DeliveryStatus,
  GoneTasks,
  HandlerPolicy,
  LeasedAttempt,
  MatchOffer,
  MatchResult,
  StoredDelivery,
  TaskQueue,
} from '../../inbox/task-queue.ts'
import { leaseDuration } from '../../inbox/worker-heartbeats.ts'
import { Batcher, batcherLimits } from '../../runtime/batcher.ts'
import type { PostgresClient } from '../client.ts'
import { isItemFault } from '../connection/connection.ts'
import { load } from '../delivery-reader/read.ts'
import { claim, handlersWithDueTasks, nextDueAt } from './claim.ts'
import { releaseLeases, releaseWorker } from './leases.ts'
import { countMatchAttempt, forgetMatchAttempts, match, UnmatchedSearch } from './match.ts'
import { finish, type WorkerResult } from './tasks.ts'
import { registerWorker, updateWorker } from './workers.ts'

/** A call of `claim` ends after this many transactions that have claimed nothing. */
const maxClaimRounds = 10

/** The task queue of the inbox. The results of attempts that end at the same time share a transaction. */
export class PostgresTaskQueue implements TaskQueue {
  readonly pollInterval = 1000
  readonly leaseDuration: number
  readonly clock: Clock
  readonly #client: PostgresClient
  readonly #results: Batcher<WorkerResult, DeliveryStatus | undefined>
  readonly #search = new UnmatchedSearch()

  constructor(client: PostgresClient) {
    this.leaseDuration = leaseDuration(client.settings.heartbeat)
    this.clock = client.clock
    this.#client = client
    this.#results = new Batcher({
      commit: (results) => client.transaction((transaction) => finish(transaction, results)),
      weigh: ({ error = '', result = '', log = '' }) => error.length + result.length + log.length,
      isItemFault,
      // No request waits for these results, so few large transactions are best.
      limits: { ...batcherLimits, concurrency: 1 },
    })
  }

  registerWorker(
    handlers: readonly HandlerPolicy[],
    onWork?: (work: AvailableWork) => void,
    onGone?: (tasks: GoneTasks) => void,
  ): Promise<number> {
    const { clock, database, settings, maintenance } = this.#client
    return this.#client.call(async () => {
      const { id: worker } = await clock.compare(() => registerWorker(database, handlers, settings.heartbeat))
      maintenance.addWorker(worker, handlers)
      if (onWork) this.#client.addWorkListener(worker, onWork)
      if (onGone) this.#client.goneListeners.add(worker, onGone)
      return worker
    })
  }

  updateWorker(worker: number, handlers: readonly HandlerPolicy[]): Promise<void> {
    const { database, maintenance } = this.#client
    return this.#client.call(async () => {
      maintenance.addWorker(worker, handlers)
      await updateWorker(database, worker, handlers)
    })
  }

  releaseWorker(worker: number): Promise<void> {
    const { maintenance } = this.#client
    return this.#client.call(async () => {
      await maintenance.removeWorker(worker)
      this.#client.removeWorkListener(worker)
      this.#client.goneListeners.remove(worker)
      await this.#client.transaction((transaction) => releaseWorker(transaction, worker))
    })
  }

  releaseLeases(worker: number, except: readonly LeasedAttempt[]): Promise<void> {
    return this.#client.write((transaction) => releaseLeases(transaction, worker, except))
  }

  match(worker: number, offer: MatchOffer, decide: DecideMatches): Promise<MatchResult> {
    return this.#client.write((transaction) => match(transaction, this.#search, worker, offer, decide))
  }

  /**
   * Uses a connection of `receiverDatabase`: the match that calls this method holds a connection of `database`, and
   * must not wait for a second connection.
   */
  countMatchAttempt(id: number): Promise<number> {
    return this.#client.call(() => countMatchAttempt(this.#client.receiverDatabase, id))
  }

  forgetMatchAttempts(id: number): Promise<void> {
    return this.#client.call(() => forgetMatchAttempts(this.#client.receiverDatabase, [id]))
  }

  dueHandlers(now: number, sources?: readonly string[]): Promise<string[]> {
    return this.#client.call(async () => [...(await handlersWithDueTasks(this.#client.database, now, sources))])
  }

  claim(worker: number, request: ClaimRequest): Promise<ClaimedTask[]> {
    const { database } = this.#client
    return this.#client.call(async () => {
      const due = await handlersWithDueTasks(database, request.now, request.sources)
      const limits = Object.entries(request.wanted).filter(([handler, limit]) => limit > 0 && due.has(handler))
      if (limits.length === 0) return []
      const options = { ...request, worker, wanted: Object.fromEntries(limits) }
      for (let round = 0; round < maxClaimRounds; round++) {
        const { claimed, more } = await this.#client.transaction((transaction) => claim(transaction, options))
        if (claimed.length > 0 || !more) return claimed
      }
      return []
    })
  }

  nextDueAt(handlers: readonly string[], sources?: readonly string[]): Promise<number | undefined> {
    return this.#client.run((database) => nextDueAt(database, handlers, sources))
  }

  load(ids: readonly number[]): Promise<StoredDelivery[]> {
    return this.#client.run((database) => load(database, ids))
  }

  finish(worker: number, results: readonly AttemptResult[]): Promise<DeliveryStatus[]> {
    return this.#client.call(async () => {
      const statuses = await Promise.all(results.map((result) => this.#results.add({ ...result, worker })))
      const recorded = statuses.filter((status) => status !== undefined)
      return [...new Map(recorded.map((status) => [status.id, status])).values()]
    })
  }
}

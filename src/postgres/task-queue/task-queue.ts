import { leaseDuration } from '../../inbox/processes.ts'
import type {
  AttemptResult,
  AvailableWork,
  ClaimedTask,
  ClaimRequest,
  DecideMatches,
  DeliveryStatus,
  GoneTasks,
  HandlerPolicy,
  MatchOffer,
  MatchResult,
  StoredDelivery,
  TaskQueue,
} from '../../inbox/task-queue.ts'
import { Batcher, batcherLimits } from '../../runtime/batcher.ts'
import { startTimer } from '../../runtime/timer.ts'
import type { PostgresClient } from '../client.ts'
import { isItemFault } from '../connection/connection.ts'
import { load } from '../delivery-reader/read.ts'
import { claim, isAhead, nextDueAt, postponement } from './claim.ts'
import { releaseWorker } from './leases.ts'
import { countMatchAttempt, forgetMatchAttempts, match } from './match.ts'
import { finish, type WorkerResult } from './tasks.ts'
import { registerWorker, updateWorker } from './workers.ts'

/** A call of `claim` ends after this many transactions that have claimed nothing. */
const maxClaimRounds = 10

/** The task queue of the inbox. The results of attempts that end at the same time share a transaction. */
export class PostgresTaskQueue implements TaskQueue {
  readonly pollInterval = 1000
  readonly leaseDuration: number
  readonly #client: PostgresClient
  readonly #results: Batcher<WorkerResult, DeliveryStatus | undefined>

  constructor(client: PostgresClient) {
    this.leaseDuration = leaseDuration(client.settings.heartbeat)
    this.#client = client
    this.#results = new Batcher({
      commit: (results) => client.transaction((transaction) => finish(transaction, client.jobs, results)),
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
    const { jobs, database, settings, maintenance } = this.#client
    return this.#client.call(async () => {
      await jobs.prepare(namesOf(handlers))
      const worker = await registerWorker(database, handlers, settings.heartbeat)
      maintenance.addWorker(worker, handlers)
      if (onWork) this.#client.addWorkListener(worker, onWork)
      if (onGone) this.#client.goneListeners.add(worker, onGone)
      return worker
    })
  }

  updateWorker(worker: number, handlers: readonly HandlerPolicy[]): Promise<void> {
    const { jobs, database, maintenance } = this.#client
    return this.#client.call(async () => {
      await jobs.prepare(namesOf(handlers))
      maintenance.addWorker(worker, handlers)
      await updateWorker(database, worker, handlers)
    })
  }

  releaseWorker(worker: number): Promise<void> {
    const { jobs, maintenance } = this.#client
    return this.#client.call(async () => {
      await maintenance.removeWorker(worker)
      this.#client.removeWorkListener(worker)
      this.#client.goneListeners.remove(worker)
      await this.#client.transaction((transaction) => releaseWorker(transaction, jobs, worker))
    })
  }

  match(worker: number, offer: MatchOffer, decide: DecideMatches): Promise<MatchResult> {
    return this.#client.write((transaction) => match(transaction, this.#client.jobs, worker, offer, decide))
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

  claim(worker: number, request: ClaimRequest): Promise<ClaimedTask[]> {
    const { jobs, database } = this.#client
    const limits = Object.entries(request.wanted).filter(([, limit]) => limit > 0)
    const handlers = limits.map(([handler]) => handler)
    return this.#client.call(async () => {
      await jobs.prepare(handlers)
      const ready = await jobs.readyHandlers(database, handlers, isAhead(request.now))
      if (ready.size === 0) return []
      const wanted = Object.fromEntries(limits.filter(([handler]) => ready.has(handler)))
      const options = { ...request, worker, wanted }
      for (let round = 0; round < maxClaimRounds; round++) {
        const { claimed, more, postponed } = await this.#client.transaction((transaction) => {
          return claim(transaction, jobs, options)
        })
        // The tasks may have to wait for an attempt of this worker only, which can end long before the next poll.
        if (postponed) startTimer(() => this.#client.signalWork(worker, 'due'), postponement)
        if (claimed.length > 0 || !more) return claimed
      }
      return []
    })
  }

  nextDueAt(handlers: readonly string[]): Promise<number | undefined> {
    return this.#client.run((database) => nextDueAt(database, handlers))
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

const namesOf = (handlers: readonly HandlerPolicy[]): string[] => handlers.map(({ name }) => name)

import { randomBytes } from 'node:crypto'
import type { NewAuditEntry } from '../inbox/audit-log.ts'
import type { AttemptResult, StoreResult } from '../inbox/inbox.ts'
import { type Answer, type Call, failure, invoke, type ThreadServer } from '../runtime/thread-server.ts'
import { type Connection, writeTransaction } from './connection/connection.ts'
import {
  type BatchAnswer,
  batchLength,
  type DeliveryBatch,
  decodeBatch,
  encodeAnswer,
} from './delivery-store/delivery-batch.ts'
import { Packer } from './delivery-store/packs.ts'
import { checkWritable, type EncodedDelivery, store } from './delivery-store/store.ts'
import { recordAction, recordChange } from './metadata/audit-log.ts'
import { saveMissedDeliveries } from './metadata/missed-deliveries.ts'
import { heartbeat, unregister } from './metadata/processes.ts'
import { compareAndSet, lease, setValue } from './metadata/shared-state.ts'
import { addCounts, recordRejections } from './metadata/statistics.ts'
import { discardFailure, retryFailure } from './operations/failure-groups.ts'
import { importDelivery } from './operations/import.ts'
import { discard, retry, retryHandler } from './operations/operate.ts'
import { pruneBatch } from './operations/retention.ts'
import type { SqliteSettings } from './options.ts'
import { claim } from './task-queue/claim.ts'
import { registerWorker, releaseLeases, releaseWorker } from './task-queue/leases.ts'
import { countMatchAttempt, forgetMatchAttempts, recordMatches } from './task-queue/match.ts'
import { type AttemptTexts, finishAll } from './task-queue/tasks.ts'
import { checkRegistered, updateWorker } from './task-queue/workers.ts'
import type { WriterCalls } from './threads.ts'

/**
 * The texts of attempts may make the file this many times as large as `maxSize`. Beyond that, the file grows only by the
 * outcomes of attempts. These are always recorded, because a delivery that cannot end could never be pruned.
 */
const reserve = 1.1

/**
 * Carries out the calls of the writer thread, in one transaction for each batch. While it commits a batch, the calls of
 * the next batch arrive.
 */
export class Writer implements ThreadServer<WriterCalls> {
  readonly #connection: Connection
  readonly #settings: Pick<SqliteSettings, 'maxSize' | 'heartbeat'>
  readonly #packer: Packer
  readonly #calls: WriterCalls
  /** The deliveries that the latest transaction stored or rearmed, except imported ones, as ranges of ids. */
  #stored: [first: number, last: number][] = []
  /** Bytes that `#makeRoom` has freed in this transaction, and that no delivery has taken. */
  #freed = 0
  /** When the latest transaction was committed. From then on, the requests of its deliveries can be answered. */
  #committedAt = 0

  constructor(connection: Connection, settings: Pick<SqliteSettings, 'maxSize' | 'heartbeat'>) {
    this.#connection = connection
    this.#settings = settings
    this.#packer = new Packer(connection)
    this.#calls = this.#serve()
  }

  /**
   * Carries out calls in one transaction. If a call fails, or the disk is full, each call gets a transaction of its own.
   * A call that stores several deliveries and fails alone is split: each delivery gets a transaction of its own. A call
   * that records results while the disk is full is repeated without the texts of the attempts.
   */
  execute(calls: readonly Call<WriterCalls>[]): Answer[] {
    const acked = this.#stored
    this.#stored = []
    this.#packer.clear()
    this.#freed = 0
    let isCallRunning = false
    try {
      const answers = writeTransaction(this.#connection, () => {
        isCallRunning = true
        this.#recordAcks(acked)
        const answers = calls.map((call) => ({ value: invoke(this.#calls, call) }))
        isCallRunning = false
        this.#packer.flush()
        return answers
      })
      this.#committedAt = Date.now()
      return answers
    } catch (error) {
      this.#stored = acked
      const isFull = isDiskFull(error)
      // The transaction failed, not a call, so it does not help to repeat the calls one by one. On a full disk it does
      // help, because there may be room for a small call.
      if (!isCallRunning && !isFull) return calls.map(() => failure(error))
      if (calls.length > 1) return calls.flatMap((call) => this.execute([call]))
      const [call] = calls
      if (call?.method === 'storeBatch' && batchLength(call.args[0]) > 1) return [this.#storeEach(call.args[0])]
      if (call?.method === 'finish' && isFull) return [this.#finishWithoutTexts(...call.args)]
      return calls.map(() => failure(error))
    }
  }

  /** Records when the deliveries of the last transaction were acknowledged. */
  close(): void {
    this.execute([])
  }

  #recordAcks(stored: readonly [first: number, last: number][]): void {
    for (const [first, last] of stored) this.#connection.run(updateAcked, this.#committedAt, first, last)
  }

  #store(delivery: EncodedDelivery): StoreResult {
    this.#makeRoom(delivery.content.length)
    const result = store(this.#connection, this.#packer, delivery, Date.now())
    if (result.outcome !== 'duplicate') this.#addStored(result.id)
    return result
  }

  /**
   * Adds an id to the ranges in `#stored`. The next transaction sets `acked_at` of the deliveries in these ranges that
   * have none: a rearmed delivery has one, unless it is the copy of a pruned delivery. An import sets `acked_at` itself,
   * so the ids of imported deliveries are in no range.
   */
  #addStored(id: number): void {
    const range = this.#stored.at(-1)
    if (range?.[1] === id - 1) range[1] = id
    else this.#stored.push([id, id])
  }

  #storeBatch(batch: DeliveryBatch): BatchAnswer {
    return encodeAnswer(
      batch,
      decodeBatch(batch).map((delivery) => ({ value: this.#store(delivery) })),
    )
  }

  /** Stores each delivery in a transaction of its own. */
  #storeEach(batch: DeliveryBatch): Answer {
    const answers = decodeBatch(batch).flatMap((delivery) => this.execute([{ method: 'store', args: [delivery] }]))
    return { value: encodeAnswer(batch, answers) }
  }

  #finishWithoutTexts(worker: number, results: readonly AttemptResult[]): Answer {
    try {
      return { value: writeTransaction(this.#connection, () => finishAll(this.#connection, worker, results, 'none')) }
    } catch (error) {
      return failure(error)
    }
  }

  #roomForTexts(): AttemptTexts {
    const { maxSize } = this.#settings
    if (maxSize === Number.MAX_SAFE_INTEGER) return 'all'
    const used = this.#connection.usedBytes()
    if (used <= maxSize) return 'all'
    return used <= reserve * maxSize ? 'latest' : 'none'
  }

  /**
   * Prunes if the maintenance thread has not pruned in time. Frees only as much as the delivery needs: if `maxSize` was
   * lowered, pruning the whole excess would keep all writes waiting. The maintenance thread prunes the rest.
   * @throws {Error} if there is nothing left to prune.
   */
  #makeRoom(bytes: number): void {
    const { maxSize } = this.#settings
    if (maxSize === Number.MAX_SAFE_INTEGER) return
    const retention = { age: Number.POSITIVE_INFINITY, size: maxSize }
    let used = this.#connection.usedBytes()
    while (used > maxSize && this.#freed < bytes) {
      if (pruneBatch(this.#connection, retention, Date.now()) === 0) {
        throw new Error(
          `The inbox has reached its maxSize of ${maxSize} bytes, and has no ended deliveries left to delete`,
        )
      }
      const left = this.#connection.usedBytes()
      this.#freed += used - left
      used = left
    }
    this.#freed = Math.max(0, this.#freed - bytes)
  }

  /** @param change Returns whether it has changed the delivery. @returns the number of changed deliveries. */
  #change(ids: readonly number[], entry: NewAuditEntry | undefined, change: (id: number) => boolean): number {
    const deliveries = ids.filter(change)
    recordChange(this.#connection, entry, { count: deliveries.length, deliveries })
    return deliveries.length
  }

  #checkWritable(): void {
    const text = randomBytes(2048).toString('hex')
    this.#makeRoom(text.length)
    checkWritable(this.#connection, Date.now())
    // Committed, because a write that is rolled back needs no room on the disk.
    setValue(this.#connection, 'writable', text)
  }

  #serve(): WriterCalls {
    const connection = this.#connection
    return {
      store: (delivery) => this.#store(delivery),
      storeBatch: (batch) => this.#storeBatch(batch),
      checkWritable: () => this.#checkWritable(),
      registerWorker: (handlers) => registerWorker(connection, handlers, this.#settings.heartbeat, Date.now()),
      updateWorker: (worker, handlers) => updateWorker(connection, worker, handlers),
      releaseWorker: (worker) => releaseWorker(connection, worker, Date.now()),
      releaseLeases: (worker, except) => releaseLeases(connection, worker, except, Date.now()),
      recordMatches: (worker, ...given) => {
        checkRegistered(connection, worker)
        return recordMatches(connection, worker, ...given)
      },
      countMatchAttempt: (id) => countMatchAttempt(connection, id),
      forgetMatchAttempts: (id) => forgetMatchAttempts(connection, id),
      claim: (worker, request) => {
        checkRegistered(connection, worker)
        return claim(connection, worker, request)
      },
      finish: (worker, results) => finishAll(connection, worker, results, this.#roomForTexts()),
      retry: ({ ids, states }, { handler, entry } = {}) => {
        return this.#change(ids, entry, (id) => {
          return handler === undefined ? retry(connection, id, states) : retryHandler(connection, id, handler, states)
        })
      },
      discard: ({ ids, states }, reason, entry) => {
        return this.#change(ids, entry, (id) => discard(connection, id, reason, states))
      },
      retryFailures: (group, ids, entry) => this.#change(ids, entry, (id) => retryFailure(connection, group, id)),
      discardFailures: (group, ids, reason, entry) => {
        return this.#change(ids, entry, (id) => discardFailure(connection, group, id, reason))
      },
      importDeliveries: (deliveries, entry) => {
        const count = deliveries.filter((delivery) => {
          this.#makeRoom(delivery.body.length)
          return importDelivery(connection, this.#packer, delivery)
        }).length
        recordChange(connection, entry, { count })
        return count
      },
      pause: (handler, entry) => {
        recordChange(connection, entry, { count: connection.run(insertPause, handler) })
      },
      resume: (handler, entry) => {
        recordChange(connection, entry, { count: connection.run('delete from pauses where handler = ?', handler) })
      },
      recordAction: (entry, result) => recordAction(connection, entry, result),
      recordRejections: (rejections) => recordRejections(connection, rejections),
      addCounts: (counts) => addCounts(connection, counts),
      saveMissedDeliveries: (missed) => saveMissedDeliveries(connection, missed),
      lease: (name, holder, ms) => lease(connection, name, holder, ms, Date.now()),
      setValue: (key, text) => setValue(connection, key, text),
      compareAndSet: (key, expected, text) => compareAndSet(connection, key, expected, text),
      heartbeat: (process) => heartbeat(connection, process, Date.now()),
      unregister: (id) => unregister(connection, id),
    }
  }
}

/** Whether SQLite has found no room on the disk (SQLITE_FULL). */
const isDiskFull = (error: unknown): boolean => (error as { errcode?: number }).errcode === 13

const insertPause = 'insert or ignore into pauses (handler) values (?)'

const updateAcked = 'update deliveries set acked_at = ? where id between ? and ? and acked_at is null'

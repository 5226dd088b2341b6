import { randomBytes } from 'node:crypto'
import type { ImportedDelivery } from '../inbox/imported-delivery.ts'
import type { AttemptResult, DeliveryStatus, HandlerPolicy, StoreResult } from '../inbox/inbox.ts'
import type { ProcessInfo } from '../inbox/processes.ts'
import { checkWritable } from './check-writable.ts'
import { claim } from './claim.ts'
import type { Connection } from './connection.ts'
import { addCounts } from './counters.ts'
import { importDelivery } from './import.ts'
import { checkRegistered, registerWorker, releaseWorker, updateWorker } from './leases.ts'
import { countMatchAttempt, forgetMatchAttempts, recordMatches } from './match.ts'
import { OpenFiles } from './open-files.ts'
import { discard, retry } from './operate.ts'
import { Packer } from './packs.ts'
import { heartbeat, unregister } from './processes.ts'
import { type Answer, type Call, failure } from './protocol.ts'
import { lease, noteGaps } from './recovering.ts'
import { recordRejections } from './rejections.ts'
import { pruneBatch, usedBytes } from './retention.ts'
import { type EncodedDelivery, store } from './store.ts'
import { finishAll } from './tasks.ts'

/** All that is written, one transaction after the other: each holds what was asked for during the one before it. */
export class Writer {
  readonly #connection: Connection
  readonly #maxSize: number
  readonly #packer: Packer
  readonly #files: OpenFiles
  readonly #writes: WriterCalls
  /** The first and the last delivery that the last transaction stored, and when their senders were told. */
  #stored: [number, number] | undefined
  #committedAt = 0

  constructor(connection: Connection, { maxSize, heartbeat }: { maxSize: number; heartbeat: number }) {
    this.#connection = connection
    this.#maxSize = maxSize
    this.#packer = new Packer(connection)
    this.#files = new OpenFiles(connection.db)
    this.#writes = writerCalls(this.#packer, heartbeat)
  }

  /** Carries out calls in one transaction; if one of them fails, each in one of its own, so that only it fails. */
  execute(calls: readonly Call[]): Answer[] {
    const connection = this.#connection
    const acked = this.#stored
    this.#stored = undefined
    this.#packer.clear()
    try {
      connection.begin()
    } catch (error) {
      this.#stored = acked
      return calls.map(() => failure(error))
    }
    let answers: Answer[] | undefined
    try {
      this.#recordAcks(acked)
      answers = calls.map((call) => ({ value: this.#carryOut(call) }))
      this.#packer.flush()
      this.#files.check()
      connection.commit()
      this.#committedAt = Date.now()
      return answers
    } catch (error) {
      this.#stored = acked
      connection.rollback()
      if (answers || calls.length <= 1) return calls.map(() => failure(error)) // the commit failed, or nobody else is concerned
      return calls.flatMap((call) => this.execute([call]))
    }
  }

  /** Leaves nothing unsaid. */
  close(): void {
    this.execute([])
  }

  /**
   * Makes room where the keeper was not quick enough. Only what is new is refused: what is stored already can still be
   * handled.
   */
  #checkRoom(): void {
    const limit = this.#maxSize
    if (limit === Number.MAX_SAFE_INTEGER) return
    const retention = { age: Number.POSITIVE_INFINITY, size: limit }
    while (usedBytes(this.#connection) > limit) {
      if (pruneBatch(this.#connection, retention, Date.now()) > 0) continue
      throw new Error(
        `The inbox has reached its maxSize of ${limit} bytes, and nothing that has ended is left to delete`,
      )
    }
  }

  #recordAcks(stored: [number, number] | undefined): void {
    if (stored) this.#connection.run(updateAcked, this.#committedAt, ...stored)
  }

  #carryOut({ method, args }: Call): unknown {
    if (method === 'store' || method === 'checkWritable') this.#checkRoom()
    const result = this.#writes[method as keyof WriterCalls](
      this.#connection,
      ...(args as [never, never, never, never, never]),
    )
    const { outcome, id } = (result ?? {}) as Partial<StoreResult>
    if (id !== undefined && outcome === 'stored') this.#stored = [this.#stored?.[0] ?? id, id]
    return result
  }
}

/** No other transaction's ids are between those of one. */
const updateAcked = 'update deliveries set acked_at = ? where id between ? and ?'

/** What can be asked of the thread that writes. */
export interface WriterCalls {
  store(connection: Connection, delivery: EncodedDelivery): StoreResult
  checkWritable(connection: Connection): void
  registerWorker(connection: Connection, handlers: readonly HandlerPolicy[]): number
  updateWorker(connection: Connection, worker: number, handlers: readonly HandlerPolicy[]): void
  releaseWorker(connection: Connection, worker: number): void
  recordMatches: typeof recordMatches
  countMatchAttempt: typeof countMatchAttempt
  forgetMatchAttempts: typeof forgetMatchAttempts
  claim: typeof claim
  finish(connection: Connection, worker: number, outcomes: readonly AttemptResult[]): DeliveryStatus[]
  retry(connection: Connection, ids: readonly number[]): number
  discard(connection: Connection, ids: readonly number[], reason: string): number
  importDeliveries(connection: Connection, deliveries: readonly ImportedDelivery[]): number
  pause(connection: Connection, handler: string): void
  resume(connection: Connection, handler: string): void
  recordRejections: typeof recordRejections
  addCounts: typeof addCounts
  noteGaps: typeof noteGaps
  lease(connection: Connection, name: string, holder: string, ms: number): boolean
  setValue(connection: Connection, name: string, text: string): void
  compareAndSet(connection: Connection, name: string, expected: string | undefined, text: string): boolean
  heartbeat(connection: Connection, presence: ProcessInfo): void
  unregister: typeof unregister
}

function setValue(connection: Connection, name: string, text: string): void {
  connection.run('insert or replace into key_values (name, text) values (?, ?)', name, text)
}

const writerCalls = (packer: Packer, heartbeatInterval: number): WriterCalls => ({
  store: (connection, delivery) => store(connection, packer, delivery, Date.now()),
  checkWritable: (connection) => {
    checkWritable(connection, Date.now())
    setValue(connection, 'writable', randomBytes(2048).toString('hex')) // a rollback alone needs no room on the disk
  },
  registerWorker: (connection, handlers) => registerWorker(connection, handlers, heartbeatInterval, Date.now()),
  updateWorker,
  releaseWorker: (connection, worker) => releaseWorker(connection, worker, Date.now()),
  recordMatches: (connection, worker, plans, now) => {
    checkRegistered(connection, worker)
    return recordMatches(connection, worker, plans, now)
  },
  countMatchAttempt,
  forgetMatchAttempts,
  claim: (connection, worker, wanted, bytes, now, largest) => {
    checkRegistered(connection, worker)
    return claim(connection, worker, wanted, bytes, now, largest)
  },
  finish: finishAll,
  retry: (connection, ids) => ids.filter((id) => retry(connection, id)).length,
  discard: (connection, ids, reason) => ids.filter((id) => discard(connection, id, reason)).length,
  importDeliveries: (connection, deliveries) =>
    deliveries.filter((one) => importDelivery(connection, packer, one)).length,
  pause: (connection, handler) => void connection.run('insert or ignore into pauses (handler) values (?)', handler),
  resume: (connection, handler) => void connection.run('delete from pauses where handler = ?', handler),
  recordRejections,
  addCounts,
  noteGaps,
  lease: (connection, name, holder, ms) => lease(connection, name, holder, ms, Date.now()),
  setValue,
  compareAndSet: (connection, name, expected, text) =>
    expected === undefined
      ? connection.run('insert or ignore into key_values (name, text) values (?, ?)', name, text) > 0
      : connection.run('update key_values set text = ? where name = ? and text = ?', text, name, expected) > 0,
  heartbeat: (connection, presence) => heartbeat(connection, presence, Date.now()),
  unregister,
})

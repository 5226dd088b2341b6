import { ReceivedDelivery } from '../../delivery.ts'
import type { Registration } from '../../handler.ts'
import type { Json } from '../../runtime/json.ts'
import type { Release } from '../../runtime/memory-pool.ts'
import { traceStoredAttempt } from '../../telemetry/operations.ts'
import type { Inbox } from '../inbox.ts'
import { type NextTask, type RunningTask, runAttempt } from './attempt.ts'
import type { PayloadMemory, Slots } from './concurrency.ts'
import { readPayload, toDeliveryHeaders } from './match-delivery.ts'
import { AttemptLog, OverdueHandlers, reportAttempt, reportDead } from './report-attempt.ts'
import { ResultRecorder } from './result-recorder.ts'
import type { Clock, WorkerHost } from './worker-host.ts'

export interface ExecutionEvents {
  /** A slot is free. @param mayBeDue Whether the end of an attempt may have made another task due. */
  roomForTask(mayBeDue: boolean): void
  /** Whether a worker id may start the task that follows one that has ended. */
  mayStartNext(worker: number): boolean
  /** Resolves when the task runs or is released. */
  startNext(next: NextTask): Promise<void>
}

/** Runs attempts, from the wait for memory until the store has recorded the result. */
export class Execution {
  readonly #host: WorkerHost
  readonly #clock: Clock
  readonly #slots: Slots
  readonly #memory: PayloadMemory
  readonly #events: ExecutionEvents
  readonly #recorder: ResultRecorder
  readonly #overdue: OverdueHandlers
  readonly #tasks = new Map<RunningTask, Promise<void>>()
  /** The deliveries whose handlers run, or whose results are being recorded. */
  readonly #deliveries = new Set<ReceivedDelivery>()
  readonly #waitingStopped = Promise.withResolvers<undefined>()
  readonly #shutdown = new AbortController()

  constructor(
    inbox: Inbox,
    host: WorkerHost,
    clock: Clock,
    { slots, memory }: { slots: Slots; memory: PayloadMemory },
    events: ExecutionEvents,
  ) {
    this.#host = host
    this.#clock = clock
    this.#slots = slots
    this.#memory = memory
    this.#events = events
    const mayStartNext = (worker: number) => events.mayStartNext(worker)
    this.#recorder = new ResultRecorder({ inbox, host, slots, shutdown: this.#shutdown.signal, mayStartNext })
    this.#overdue = new OverdueHandlers(host.logger)
  }

  /** Runs a task, which holds a slot, as soon as there is memory for its payload. */
  start(task: RunningTask): void {
    this.#tasks.set(task, this.#run(task))
  }

  /** How many attempts of each handler still run after their end. */
  get overdue(): ReadonlyMap<string, number> {
    return this.#overdue.counts
  }

  /** Resolves when the present tasks have ended and their results are recorded. */
  async idle(): Promise<void> {
    await Promise.all(this.#tasks.values())
  }

  /** Drops the tasks that wait for memory, now and later: the store releases them with the worker. */
  stopWaiting(): void {
    this.#waitingStopped.resolve(undefined)
  }

  /** Aborts the handlers; an attempt that fails from now on is released. */
  abort(): void {
    this.#shutdown.abort()
    for (const delivery of this.#deliveries) delivery.abort(new DOMException('Shutting down', 'AbortError'))
  }

  async #run(task: RunningTask): Promise<void> {
    try {
      const release = this.#memory.takeAtOnce(task.cost) ?? (await this.#waitForMemory(task.cost))
      if (release) await this.#attempt(task, release)
      else this.#slots.release(task.handler)
    } finally {
      this.#tasks.delete(task)
    }
  }

  /** @returns nothing if `stopWaiting()` came first. */
  async #waitForMemory(bytes: number): Promise<Release | undefined> {
    const { room, giveUp } = this.#memory.wait(bytes)
    const release = await Promise.race([room, this.#waitingStopped.promise])
    if (!release) giveUp()
    return release
  }

  /** The life of an attempt: runs the handler, then releases the memory, reports the result, and records it. */
  async #attempt(task: RunningTask, releaseMemory: Release): Promise<void> {
    const { id, handler, attempt, attemptsUsed, replayed, stored, worker, chainStart } = task
    const { data, registration } = this.#readPayload(task)
    const log = new AttemptLog(this.#host.logger)
    const { body: _body, ...headers } = stored // a handler that keeps the delivery must not keep the body in memory
    const deliveryHeaders = { ...toDeliveryHeaders(headers), attempt: attemptsUsed, replayed }
    const delivery = new ReceivedDelivery(deliveryHeaders, data, log.logger, this.#host.octokits)
    this.#deliveries.add(delivery)
    try {
      const startTime = performance.now()
      const [now, isAborted] = [() => this.#clock.now(), () => this.#shutdown.signal.aborted]
      const run = () => runAttempt({ registration, delivery, attemptsUsed, now, isAborted })
      const running = traceStoredAttempt(handler, delivery, stored, run)
      const slot = this.#releaseSlotWhenSettled(handler, running.settled)
      const ended = await running.result
      releaseMemory()
      if (!slot.isReleased) void this.#overdue.watch(handler, delivery.guid, running.settled)

      const duration = Math.round(performance.now() - startTime)
      const startedAt = now() - duration // by the clock as it is now: it may have been set meanwhile
      reportAttempt(this.#host, task, delivery, ended, duration)
      const { thrown, ...outcome } = ended
      const result = { id, handler, attempt, startedAt, duration, log: log.text, ...outcome }
      const status = await this.#recorder.record(task, result)
      if (status?.state === 'dead') {
        const isOwnFailure = outcome.outcome === 'dead' // otherwise another handler failed before this one ended
        const error = isOwnFailure ? thrown : new Error('Another handler had failed for the last time')
        reportDead(this.#host, id, delivery, error)
      }
      if (status?.next) await this.#events.startNext({ ...status.next, worker, chainStart })
      const isOrdered = registration.options.order !== undefined
      this.#events.roomForTask(outcome.outcome === 'failed' || (isOrdered && !status?.next))
    } finally {
      releaseMemory()
      this.#deliveries.delete(delivery)
    }
  }

  /** The payload and its handler. If the payload cannot be read, the handler is one that fails with the reason. */
  #readPayload({ data, stored, cost, registration }: RunningTask): { data: Json; registration: Registration } {
    try {
      return { data: data ?? readPayload(stored, cost, this.#host), registration }
    } catch (error) {
      return { data: {}, registration: { ...registration, handler: () => Promise.reject(error) } }
    }
  }

  /** A handler holds its slot until its code has ended, which may be after its attempt. */
  #releaseSlotWhenSettled(handler: string, settled: Promise<void>): { readonly isReleased: boolean } {
    const slot = { isReleased: false }
    void settled.then(() => {
      slot.isReleased = true
      this.#slots.release(handler)
      this.#events.roomForTask(false)
    })
    return slot
  }
}

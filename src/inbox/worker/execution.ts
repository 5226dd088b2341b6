import { type DeliveryPayload, ReceivedDelivery } from '../../delivery.ts'
import type { Registration } from '../../handler.ts'
import type { Json } from '../../runtime/json.ts'
import type { Release } from '../../runtime/memory-pool.ts'
import { sleep } from '../../runtime/timer.ts'
import { traceStoredAttempt } from '../../telemetry/tracing.ts'
import type { AttemptResult, DeliveryStatus } from '../inbox.ts'
import { type NextTask, type RunningTask, runAttempt } from './attempt.ts'
import { smallBody } from './concurrency.ts'
import { readPayload, toDeliveryHeaders } from './payload.ts'
import { AttemptLog, OverdueHandlers, reportAttempt, reportDead } from './report-attempt.ts'
import { storeRetryDelay, type WorkerContext } from './worker-host.ts'

/** Milliseconds that consecutive tasks of an order key may keep a slot. After that, other due tasks may get it. */
const maxChain = 1000

export interface ExecutionEvents {
  /**
   * Called when there may be room for a task.
   * @param mayBeDue Whether the end of an attempt may have made another task due.
   */
  roomForTask(mayBeDue: boolean): void
  /** Starts the next task of a chain. Resolves when the task runs or is released, or the store has failed. */
  startNext(next: NextTask): Promise<void>
}

/** Runs attempts, from the wait for memory until the store has recorded the result. */
export class Execution {
  readonly #context: WorkerContext
  readonly #events: ExecutionEvents
  readonly #overdue: OverdueHandlers
  readonly #tasks = new Map<RunningTask, Promise<void>>()
  /** The deliveries whose handlers run, or whose results are being recorded. */
  readonly #deliveries = new Set<ReceivedDelivery>()
  readonly #waitingStopped = Promise.withResolvers<undefined>()
  readonly #shutdown = new AbortController()

  constructor(context: WorkerContext, events: ExecutionEvents) {
    this.#context = context
    this.#events = events
    this.#overdue = new OverdueHandlers(context.host.logger)
  }

  /** Runs a task, which holds a slot, as soon as there is memory for its payload. */
  start(task: RunningTask): void {
    this.#tasks.set(task, this.#run(task))
  }

  /** See `OverdueHandlers.counts`. */
  get overdue(): ReadonlyMap<string, number> {
    return this.#overdue.counts
  }

  /**
   * Resolves when no task is waiting for memory or running, and no result is being recorded.
   * @param worker Considers only tasks with this worker id. Default: all tasks.
   */
  async idle(worker?: number): Promise<void> {
    for (;;) {
      const tasks = [...this.#tasks].filter(([task]) => worker === undefined || task.worker === worker)
      if (tasks.length === 0) return
      await Promise.all(tasks.map(([, ended]) => ended)) // the end of a task may start the next one of its order key
    }
  }

  /**
   * Drops the tasks that wait for memory, and those that would have to wait later. `releaseWorker` releases their
   * leases.
   */
  stopWaiting(): void {
    this.#waitingStopped.resolve(undefined)
  }

  /** Aborts the handlers. An attempt that fails from now on has the outcome `released`. */
  abort(): void {
    this.#shutdown.abort()
    for (const delivery of this.#deliveries) delivery.abort(new DOMException('Shutting down', 'AbortError'))
  }

  async #run(task: RunningTask): Promise<void> {
    const { memory, slots } = this.#context
    try {
      const release = memory.takeAtOnce(task.cost) ?? (await this.#waitForMemory(task.cost))
      if (release) await this.#attempt(task, release)
      else slots.release(task.handler)
    } finally {
      this.#tasks.delete(task)
    }
  }

  /** @returns `undefined` if `stopWaiting()` ends the wait. */
  async #waitForMemory(bytes: number): Promise<Release | undefined> {
    const { room, giveUp } = this.#context.memory.wait(bytes)
    const release = await Promise.race([room, this.#waitingStopped.promise])
    if (!release) giveUp()
    return release
  }

  /** The life of an attempt: runs the handler, then releases the memory, reports the result, and records it. */
  async #attempt(task: RunningTask, releaseMemory: Release): Promise<void> {
    const { id, handler, attempt, attemptsUsed, replayed, stored, worker, chainStart } = task
    const { host, clock } = this.#context
    const { payload, registration } = this.#readPayload(task)
    const log = new AttemptLog(host.logger)
    const { body: _body, ...headers } = stored // a handler that keeps the delivery must not keep the body in memory
    const deliveryHeaders = { ...toDeliveryHeaders(headers), attempt: attemptsUsed, replayed }
    const delivery = new ReceivedDelivery(deliveryHeaders, payload, log.logger, host.octokits)
    this.#deliveries.add(delivery)
    try {
      const startTime = performance.now()
      const [now, isAborted] = [() => clock.now(), () => this.#shutdown.signal.aborted]
      const run = () => runAttempt({ registration, delivery, attemptsUsed, now, isAborted })
      const running = traceStoredAttempt(handler, delivery, stored, run)
      const slot = this.#releaseSlotWhenSettled(handler, running.settled)
      const ended = await running.result
      releaseMemory()
      if (!slot.isReleased) void this.#overdue.watch(handler, delivery.guid, running.settled)

      const duration = Math.round(performance.now() - startTime)
      const startedAt = now() - duration // the clock may have been set since the start
      reportAttempt(host, task, delivery, ended, duration)
      const { thrown, ...outcome } = ended
      const result = { id, handler, attempt, startedAt, duration, log: log.text, ...outcome }
      const status = await this.#record(task, result)
      if (status?.state === 'dead') {
        const isOwnFailure = outcome.outcome === 'dead' // otherwise another handler failed before this one ended
        const error = isOwnFailure
          ? thrown
          : new Error('Another handler of the delivery has failed in its last attempt')
        reportDead(host, id, delivery, error)
      }
      if (status?.next) await this.#events.startNext({ ...status.next, worker, chainStart })
      const isOrdered = registration.options.order !== undefined
      this.#events.roomForTask(outcome.outcome === 'failed' || (isOrdered && !status?.next))
    } finally {
      releaseMemory()
      this.#deliveries.delete(delivery)
    }
  }

  /**
   * Records a result, and claims the next task of a chain by the same call if that task may start. Repeats a call that
   * fails, unless the handlers have been aborted.
   * @returns nothing if this worker no longer holds the lease, or if a call fails after the abort. After the abort, the
   * worker releases the lease, and the attempt is repeated.
   */
  async #record(task: RunningTask, result: AttemptResult): Promise<DeliveryStatus | undefined> {
    let claimNext = false
    for (;;) {
      claimNext ||= this.#mayClaimNext(task) // stays true: a call that failed may have claimed a task
      try {
        return await (claimNext ? this.#finishAndClaimNext(task, result) : this.#finish(task, result))
      } catch (err) {
        const { handler, stored } = task
        this.#context.host.logger.error(
          { err, handler, guid: stored.guid },
          'The result of an attempt could not be recorded',
        )
        if (this.#shutdown.signal.aborted) return undefined
        await sleep(storeRetryDelay, this.#shutdown.signal, { keepAlive: true })
      }
    }
  }

  async #finish({ worker }: RunningTask, result: AttemptResult): Promise<DeliveryStatus | undefined> {
    const [status] = await this.#context.inbox.finish(worker, [result])
    return status
  }

  /** Takes a slot for the next task before the store claims it. If the store claims none, the slot is released. */
  async #finishAndClaimNext(task: RunningTask, result: AttemptResult): Promise<DeliveryStatus | undefined> {
    const { slots } = this.#context
    slots.take(task.handler)
    let status: DeliveryStatus | undefined
    try {
      status = await this.#finish(task, { ...result, nextBytes: smallBody })
      return status
    } finally {
      if (!status?.next) slots.release(task.handler)
    }
  }

  #mayClaimNext({ worker, registration, chainStart }: RunningTask): boolean {
    if (registration.options.order === undefined || performance.now() - chainStart > maxChain) return false
    return this.#context.mayStartNext(worker) && this.#context.slots.free(registration) > 0
  }

  /**
   * The payload of a task, and the registration to run. If the payload cannot be read, or if the option `parsePayload`
   * fails, returns empty data, and a copy of the task's registration with another handler, which rejects with the reason.
   */
  #readPayload(task: RunningTask): { payload: DeliveryPayload; registration: Registration } {
    const { payload, stored, cost, registration } = task
    if (payload) return { payload, registration }
    let members: Json = {}
    try {
      const read = readPayload(stored, cost, this.#context.host)
      members = read.plain
      return { payload: read.forHandlers(), registration }
    } catch (error) {
      const handler = () => Promise.reject(error)
      return { payload: { data: {}, members }, registration: { ...registration, handler } }
    }
  }

  /** A handler holds its slot until its code has ended, which may be after its attempt. */
  #releaseSlotWhenSettled(handler: string, settled: Promise<void>): { readonly isReleased: boolean } {
    const slot = { isReleased: false }
    void settled.then(() => {
      slot.isReleased = true
      this.#context.slots.release(handler)
      this.#events.roomForTask(false)
    })
    return slot
  }
}

import { type DeliveryPayload, logFields, ReceivedDelivery } from '../../delivery.ts'
import type { Registration } from '../../handler.ts'
import { type Json, textIn } from '../../runtime/json.ts'
import type { Release } from '../../runtime/memory-pool.ts'
import { sleep, startTimer } from '../../runtime/timer.ts'
import { traceStoredAttempt } from '../../telemetry/tracing.ts'
import type { AttemptResult, DeliveryStatus, StoredDelivery } from '../inbox.ts'
import { estimateParsedSize } from '../parsed-size.ts'
import type { LeasedAttempt } from '../task-queue.ts'
import { type Claim, isOrdered, type RunningTask, runAttempt } from './attempt.ts'
import { AttemptLog } from './attempt-log.ts'
import { readBody, readPayload, toDeliveryHeaders } from './payload.ts'
import { smallBody } from './payload-memory.ts'
import { OverdueHandlers, reportAttempt, reportDead } from './report-attempt.ts'
import type { Slot } from './slots.ts'
import { registrationsOf, storeRetryDelay, type WorkerContext } from './worker-host.ts'

/** Milliseconds that consecutive tasks of an order key may keep a slot. After that, other due tasks may get it. */
const maxChain = 1000

/**
 * Milliseconds that a task may wait for a slot. After that, another worker may have a free one, because the handler has
 * become slower here.
 */
const maxWait = 250

/**
 * The number of results that the store has failed to record, from which on the worker claims no tasks. Otherwise, a full
 * disk that still has room for claims would fill the memory with results, and a crash would repeat all these attempts.
 * Not one, so that the worker goes on if the store rejects a single result.
 */
const maxUnrecorded = 10

/**
 * The runs of the tasks that this process has claimed. A run is
 *
 * - claimed: the store has leased its task to this worker, and the run owns a slot of the handler. → loading; →
 *   waiting, if the match that claimed the task has read its delivery.
 * - loading: its delivery is being read. → waiting; → ended if the program has removed the handler or the store fails,
 *   which releases the lease; → ended if the delivery was deleted.
 * - waiting: for a slot, if it was claimed ahead, and for memory for its payload. → running; → ended if `startNoMore()`
 *   was called; → ended if its lease is released, because the task has waited for `maxWait`, or because the lease may have
 *   expired: the answer of the store was late, or the process was suspended after the claim.
 * - running: the code of its handler runs. → recording, as soon as the outcome is known. The slot is released when the
 *   code has ended, which may be after the run.
 * - recording: the store records the result, and may claim the next task with the same order key. → ended, and a run of
 *   the next task is claimed.
 * - ended: it owns no slot, unless the code of its handler still runs, and no memory.
 *
 * A task whose two latest leases have expired is a *suspect*: it may have ended its processes. Only one suspect runs at a
 * time, beside other tasks, until its result is recorded. So if it ends the process again, no other suspect loses an
 * attempt. One expired lease is no suspicion, because all tasks of a machine that fails have one, and other machines take
 * them over at once.
 */
export class TaskRuns {
  /** The handlers that still run after their attempts have ended. */
  readonly overdue: OverdueHandlers
  readonly #context: WorkerContext
  readonly #roomForTask: (mayBeDue: boolean) => void
  /** The tasks whose deliveries are being read. */
  readonly #loading = new Set<Claim>()
  /** The runs from `waiting` on. */
  readonly #runs = new Map<RunningTask, Promise<void>>()
  /** The slots of the suspects that are loading, waiting, running or recording. */
  readonly #suspects = new Set<Slot>()
  /** The deliveries whose handlers run, with the names of these handlers, or whose results are being recorded. */
  readonly #deliveries = new Map<ReceivedDelivery, string | undefined>()
  /** The tasks whose results the store has failed to record, and the messages of the latest errors. */
  readonly #unrecorded = new Map<RunningTask, string>()
  #mayStart = true
  readonly #waitingStopped = Promise.withResolvers<undefined>()
  readonly #shutdown = new AbortController()
  /** The next tasks of chains that are claimed, and will be loaded together. */
  #next: Claim[] = []
  #loadingNext: Promise<void> | undefined

  /**
   * @param roomForTask Called when there may be room for a task. `mayBeDue`: whether the end of an attempt may have
   * made another task due.
   */
  constructor(context: WorkerContext, roomForTask: (mayBeDue: boolean) => void) {
    this.#context = context
    this.#roomForTask = roomForTask
    this.overdue = new OverdueHandlers(context.host.logger)
  }

  /** The names of the handlers that run, once for each attempt. */
  get running(): string[] {
    return [...this.#deliveries.values()].filter((handler) => handler !== undefined)
  }

  /** Whether a suspect may be claimed. */
  get maySuspectStart(): boolean {
    return this.#suspects.size === 0
  }

  /** Whether the worker may claim tasks: the store records results. */
  get mayClaim(): boolean {
    return this.#unrecorded.size < maxUnrecorded
  }

  /** Why a result could not be recorded yet. `undefined` if all results are recorded. */
  get recordError(): string | undefined {
    return this.#unrecorded.values().next().value
  }

  /** Loads the deliveries of claimed tasks, and runs the tasks. */
  async start(claims: readonly Claim[]): Promise<void> {
    for (const claim of claims) this.#loading.add(claim)
    for (const { slot, suspect } of claims) if (suspect) this.#suspects.add(slot)
    const started = new Set<Claim>()
    try {
      const deliveries = new Map((await this.#load(claims)).map((stored) => [stored.id, stored]))
      const registrations = registrationsOf(this.#context.host)
      // The program has removed the handlers of these tasks after the tasks were claimed.
      await this.#releaseLeases(claims.filter(({ handler }) => !registrations.has(handler)))
      for (const claim of claims) {
        const stored = deliveries.get(claim.id)
        const registration = registrations.get(claim.handler)
        if (!stored || !registration) continue // the delivery was discarded and pruned, or the lease was released above
        const cost = estimateParsedSize(stored.body, stored.form)
        started.add(claim)
        this.run({ ...claim, registration, stored, payload: undefined, cost })
      }
    } finally {
      for (const claim of claims) this.#loading.delete(claim)
      for (const claim of claims) if (!started.has(claim)) this.#end(claim)
    }
  }

  /** Runs a task as soon as there is memory for its payload. */
  run(task: RunningTask): void {
    const run = this.#run(task).finally(() => {
      this.#runs.delete(task)
      this.#endTrial(task)
    })
    this.#runs.set(task, run)
  }

  /** Whether no task is waiting for memory or running, and no result is being recorded. */
  get isIdle(): boolean {
    return this.#runs.size === 0
  }

  /**
   * Resolves when no task is waiting for memory or running, and no result is being recorded.
   * @param worker Considers only tasks with this worker id. Default: all tasks.
   */
  async idle(worker?: number): Promise<void> {
    for (;;) {
      const runs = [...this.#runs].filter(([task]) => worker === undefined || task.worker === worker)
      if (runs.length === 0) return
      await Promise.all(runs.map(([, ended]) => ended)) // the end of a task may start the next one of its order key
    }
  }

  /** The tasks with a worker id that are loading, waiting or running, or whose results are being recorded. */
  tasksOf(worker: number): LeasedAttempt[] {
    return [...this.#loading, ...this.#runs.keys()]
      .filter((task) => task.worker === worker)
      .map(({ id, handler, attempt }) => ({ id, handler, attempt }))
  }

  /** Calls no handler from now on. `releaseWorker` releases the leases of the tasks that are loading or waiting. */
  startNoMore(): void {
    this.#mayStart = false
    this.#context.slots.releaseWaiting()
    this.#waitingStopped.resolve(undefined)
  }

  /** Aborts the handlers. An attempt that fails from now on has the outcome `released`. */
  abort(): void {
    this.#shutdown.abort()
    for (const delivery of this.#deliveries.keys()) delivery.abort(new DOMException('Shutting down', 'AbortError'))
  }

  async #load(claims: readonly Claim[]): Promise<StoredDelivery[]> {
    try {
      return await this.#context.inbox.load([...new Set(claims.map(({ id }) => id))])
    } catch (error) {
      // Otherwise, the leases would be released only when all attempts with this worker id have ended.
      await this.#releaseLeases(claims)
      throw error
    }
  }

  /** Makes tasks due again; the attempts do not count. The store ignores tasks whose leases have expired. */
  async #releaseLeases(claims: readonly Claim[]): Promise<void> {
    const startedAt = this.#context.clock.now()
    for (const [worker, own] of Map.groupBy(claims, (claim) => claim.worker)) {
      const released = { outcome: 'released', startedAt, duration: 0 } as const
      const results = own.map(({ id, handler, attempt }) => ({ id, handler, attempt, ...released }))
      await this.#context.inbox.finish(worker, results)
    }
  }

  /** Ends a run whose handler was not called. */
  #end(claim: Claim): void {
    claim.slot.release()
    this.#endTrial(claim)
  }

  #endTrial({ slot }: Claim): void {
    if (this.#suspects.delete(slot)) this.#roomForTask(true) // the next suspect may start
  }

  async #run(task: RunningTask): Promise<void> {
    const { suspensions } = this.#context
    if (!this.#mayStart) return task.slot.release()
    if (suspensions.isLate(task.calledAt)) return this.#drop(task)
    if (task.slot.turn && !(await this.#waitForTurn(task.slot, task.slot.turn))) {
      return this.#mayStart ? this.#drop(task) : undefined
    }
    const releaseMemory = this.#context.memory.takeAtOnce(task.cost) ?? (await this.#waitForMemory(task.cost))
    if (!releaseMemory) return task.slot.release()
    try {
      if (!this.#mayStart) task.slot.release()
      else if (task.calledAt.suspensions === suspensions.count) await this.#attempt(task, releaseMemory)
      else await this.#drop(task)
    } finally {
      releaseMemory()
    }
  }

  /** @returns false if the task has waited for `maxWait`, or if `startNoMore()` ends the wait. */
  async #waitForTurn(slot: Slot, turn: Promise<boolean>): Promise<boolean> {
    const stopTimer = startTimer(() => slot.release(), maxWait)
    const mayRun = await turn
    stopTimer()
    return mayRun
  }

  /** @returns `undefined` if `startNoMore()` ends the wait. */
  async #waitForMemory(bytes: number): Promise<Release | undefined> {
    const { room, giveUp } = this.#context.memory.wait(bytes)
    const release = await Promise.race([room, this.#waitingStopped.promise])
    if (!release) giveUp()
    return release
  }

  /** Releases a task whose lease may have expired. */
  async #drop(task: RunningTask): Promise<void> {
    task.slot.release()
    try {
      await this.#releaseLeases([task])
      this.#roomForTask(true)
    } catch (error) {
      this.#context.storeFailed(error)
    }
  }

  /** Runs the handler, then releases the memory, reports the result, and records it. */
  async #attempt(task: RunningTask, releaseMemory: Release): Promise<void> {
    const { id, handler, attempt, attemptsUsed, uncounted, replayed, stored } = task
    const { inbox, host, clock } = this.#context
    const { payload, registration } = this.#readPayload(task)
    const { body: _body, ...headers } = stored // a handler that keeps the delivery must not keep the body in memory
    const log = new AttemptLog(host.logger, logFields({ ...headers, action: textIn(payload.members, 'action') }))
    const deliveryHeaders = { ...toDeliveryHeaders(headers), attempt: attemptsUsed, replayed }
    const sources = { logger: log.logger, octokits: host.octokits, readBody: () => readBody(inbox, id) }
    const delivery = new ReceivedDelivery(deliveryHeaders, payload, sources)
    this.#deliveries.set(delivery, handler)
    try {
      const startTime = performance.now()
      const [now, isAborted] = [() => clock.now(), () => this.#shutdown.signal.aborted]
      const run = () => runAttempt({ registration, delivery, attemptsUsed, uncounted, now, isAborted })
      const running = traceStoredAttempt(handler, delivery, stored, run)
      const code = this.#releaseSlotWhenSettled(task, running.settled)
      const ended = await running.result
      this.#deliveries.set(delivery, undefined)
      releaseMemory()
      if (code.isRunning) void this.overdue.watch(handler, delivery, running.settled)

      const duration = Math.round(performance.now() - startTime)
      const startedAt = now() - duration // the clock may have been set since the start
      reportAttempt(host, task, delivery, ended, duration)
      const { thrown, ...outcome } = ended
      const result = { id, handler, attempt, startedAt, duration, log: log.text, ...outcome }
      const status = await this.#record(task, result)
      if (status?.state === 'dead' && !status.endedByOther) {
        const isOwnFailure = outcome.outcome === 'dead' // otherwise another handler failed before this one ended
        const error = isOwnFailure
          ? thrown
          : new Error('Another handler of the delivery has failed in its last attempt')
        reportDead(host, task, delivery, error)
      }
      if (status?.next) await this.#startNext(status.next)
      this.#roomForTask(outcome.outcome === 'failed' || (isOrdered(task) && !status?.next))
    } finally {
      this.#deliveries.delete(delivery)
    }
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

  /** @param settled Resolves when the code of the handler has ended, which may be after its attempt. */
  #releaseSlotWhenSettled({ slot }: RunningTask, settled: Promise<void>): { readonly isRunning: boolean } {
    const code = { isRunning: true }
    void settled.then(() => {
      code.isRunning = false
      slot.release()
      this.#roomForTask(false)
    })
    return code
  }

  /**
   * Records a result, and claims the next task of a chain by the same call if that task may start. Repeats a call that
   * fails, unless the handlers have been aborted.
   * @returns nothing if this worker no longer holds the lease, or if a call fails after the abort. After the abort, the
   * worker releases the lease, and the attempt is repeated.
   */
  async #record(task: RunningTask, result: AttemptResult): Promise<RecordedStatus | undefined> {
    const { handler, stored, worker } = task
    const { inbox, host, suspensions } = this.#context
    const next = { nextBytes: smallBody, nextSources: host.sources }
    let slot: Slot | undefined
    const calledAt = suspensions.callTime()
    try {
      for (;;) {
        slot ??= this.#slotForNext(task) // kept after a failed call, which may have claimed a task
        try {
          const [status] = await inbox.finish(worker, [slot ? { ...result, ...next, nextAhead: !!slot.turn } : result])
          // The call that failed may have ended the delivery and claimed a task, and then the delivery was deleted.
          if (!status && slot && this.#unrecorded.has(task)) this.#context.retireId()
          if (!status?.next || !slot) return status && { ...status, next: undefined }
          const claim = { ...status.next, worker, slot, calledAt, chainStart: task.chainStart }
          slot = undefined // `claim` owns it
          return { ...status, next: claim }
        } catch (err) {
          const reason = err instanceof Error ? err.message : String(err)
          // Logged once: with a full disk, the results of all running attempts fail for the same reason.
          if (![...this.#unrecorded.values()].includes(reason)) {
            const message = 'Results of attempts cannot be recorded; hookserver tries again every second'
            host.logger.error({ err, handler, id: stored.id, guid: stored.guid }, message)
          }
          this.#unrecorded.set(task, reason)
          if (this.#shutdown.signal.aborted) return undefined
          await sleep(storeRetryDelay, this.#shutdown.signal, { keepAlive: true })
        }
      }
    } finally {
      slot?.release()
      const wasLast = this.#unrecorded.delete(task) && this.#unrecorded.size === 0
      if (wasLast && !this.#shutdown.signal.aborted) host.logger.info({}, 'Results of attempts are recorded again')
    }
  }

  /** The slot for the next task of a chain, if that task may start in this process. */
  #slotForNext(task: RunningTask): Slot | undefined {
    if (!isOrdered(task) || performance.now() - task.chainStart > maxChain) return undefined
    return this.#context.mayStart(task.worker) ? this.#context.slots.takeNext(task.registration) : undefined
  }

  /**
   * Runs the next task of a chain. The deliveries of all calls in one turn of the event loop are loaded together.
   * Resolves when the task runs or is released, or the store has failed.
   */
  #startNext(next: Claim): Promise<void> {
    this.#next.push(next)
    this.#loadingNext ??= Promise.resolve().then(async () => {
      const claims = this.#next
      this.#next = []
      this.#loadingNext = undefined
      await this.#startOrRelease(claims)
    })
    return this.#loadingNext
  }

  async #startOrRelease(claims: readonly Claim[]): Promise<void> {
    const [allowed, others] = [true, false].map((may) => {
      return claims.filter(({ worker }) => this.#context.mayStart(worker) === may)
    }) as [Claim[], Claim[]]
    for (const claim of others) this.#end(claim)
    // Waits for both: the caller's worker id must not be released while a delivery is loading.
    const ended = await Promise.allSettled([allowed.length > 0 && this.start(allowed), this.#releaseLeases(others)])
    for (const end of ended) if (end.status === 'rejected') this.#context.storeFailed(end.reason)
  }
}

/** The status of a delivery, and the next task of the chain, with its slot. */
type RecordedStatus = Omit<DeliveryStatus, 'next'> & { next: Claim | undefined }

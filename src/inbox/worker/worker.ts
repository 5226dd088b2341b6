import type { Registration } from '../../handler.ts'
import { startTimer, within } from '../../runtime/timer.ts'
import { countedNames } from '../../telemetry/logger.ts'
import type { Clock, TaskQueue } from '../inbox.ts'
import type { WorkerProblem } from '../processes.ts'
import type { Claim } from './attempt.ts'
import { batchBytes, Matcher } from './matcher.ts'
import { PayloadMemory } from './payload-memory.ts'
import { reportUnmatched, reportUnreadable } from './report-attempt.ts'
import { RoundLoop, WorkSignal } from './round-loop.ts'
import { type Slot, Slots } from './slots.ts'
import { Suspensions } from './suspensions.ts'
import { TaskRuns } from './task-runs.ts'
import { closeTimeout, storeTimeout, type WorkerContext, type WorkerHost } from './worker-host.ts'
import { WorkerRegistration } from './worker-registration.ts'

/**
 * A round matches as many deliveries as one of the handlers can run or claim ahead, within these bounds. But if a backlog
 * waits for slow handlers, the round matches the maximum: fairness needs the repositories of the deliveries, and they are
 * known once the deliveries are matched. If a handler has an order, the limit is `orderedMatched`.
 */
const [minMatched, maxMatched] = [10, 225]

/** The number of deliveries that a round matches if a handler has an order. */
const orderedMatched = 100
/**
 * Maximum milliseconds that a round waits until no request is being answered. Limited, so that constant traffic cannot
 * stop handlers.
 */
const idleTimeout = 100
/** The number of handlers from which on a worker asks which of them have due tasks, before it claims tasks. */
const manyHandlers = 100
/** Milliseconds from the abort of the handlers by `stop()` until the leases of those that still run are released. */
const abortGrace = 3000
/** Maximum characters of a message in `problems`. */
const maxProblemMessage = 500

/** When `drain` ends although there is work left. */
export interface DrainLimits {
  /** Maximum milliseconds. Default: no limit. */
  budget?: number | undefined
  signal?: AbortSignal | undefined
}

/** The result of `drain`. */
export interface DrainResult {
  /**
   * When the next task is due, in milliseconds since 1970. Not in the future if the limits have left work that is due
   * now. `undefined` if there is no such task.
   */
  nextAt: number | undefined
}

/**
 * Handles the deliveries of an inbox: claims due tasks, matches new deliveries with handlers, and runs the handlers.
 *
 * `RoundLoop` decides when a round begins, `WorkerRegistration` has the id of the worker, and `TaskRuns` runs the
 * tasks. Each round queries the store for due tasks and for unmatched deliveries, if there may be any. A worker does
 * its rounds once: from `start()` until `stop()`, or in `drain()` until nothing is due. `stop()` ends the rounds, then
 * the attempts.
 *
 * If the store fails after `start()`, the id is retired and the next round registers a new one. `drain()` rejects.
 */
export class Worker {
  readonly #context: WorkerContext
  readonly #loop: RoundLoop
  readonly #registration: WorkerRegistration
  readonly #matcher: Matcher
  readonly #runs: TaskRuns
  readonly #due = new WorkSignal()
  readonly #unmatched = new WorkSignal()
  /** The latest call of `stop()`. */
  #stopping: Promise<void> | undefined
  /** Resolves when a call fails that may leave leases which the worker does not know. */
  #nextFailure = Promise.withResolvers<void>()
  #wasExhausted = false
  /** Whether the latest round has matched so many deliveries that more may wait. */
  #isBehind = false
  /** The latest failure of the store; reset by a round that succeeds. */
  #failure: string | undefined

  /** @param clock Replaces the clocks of the machine and of the store. */
  constructor(inbox: TaskQueue, host: WorkerHost, clock?: Clock) {
    const retireId = () => this.#retireId()
    const storeFailed = (error: unknown) => {
      this.#logFailure(error)
      retireId()
    }
    this.#context = {
      ...{ inbox, host, slots: new Slots(), memory: new PayloadMemory(host.payloadMemory) },
      ...{ storeFailed, retireId },
      clock: clock ?? inbox.clock ?? Date,
      suspensions: new Suspensions(inbox.leaseDuration, clock ?? Date),
      mayStart: (worker) => !this.#loop.isStopped && this.#registration.isCurrent(worker),
    }
    this.#loop = new RoundLoop({ interval: inbox.pollInterval, round: () => this.#round(), failed: storeFailed })
    this.#registration = new WorkerRegistration(this.#context, this.#loop, {
      onWork: (work) => (work === 'unmatched' ? this.wake() : this.#roomForTask(true)),
      onError: (error) => this.#logFailure(error),
    })
    this.#matcher = new Matcher(this.#context)
    this.#runs = new TaskRuns(this.#context, (mayBeDue) => this.#roomForTask(mayBeDue))
  }

  /** Runs rounds until `stop()`. */
  start(): void {
    this.#context.suspensions.start()
    this.#loop.start()
  }

  /**
   * Runs rounds until nothing is due, or until the limits are reached. Then stops, without a grace for the handlers that
   * still run.
   * @throws the error of the store.
   */
  async drain({ budget, signal }: DrainLimits = {}): Promise<DrainResult> {
    this.#context.suspensions.start()
    const end = () => void this.stop(0)
    const stopTimer = budget === undefined ? undefined : startTimer(end, budget, true)
    signal?.addEventListener('abort', end)
    if (signal?.aborted) end()
    try {
      await this.#loop.runUntil(() => this.#isDone())
    } finally {
      stopTimer?.()
      signal?.removeEventListener('abort', end)
      await (this.#stopping ?? this.stop(0))
    }
    return { nextAt: await answered(this.#nextDueAt()) }
  }

  /** Problems that keep the worker from running all due tasks. */
  get problems(): WorkerProblem[] {
    const problems: WorkerProblem[] = []
    const failure = this.#failure ?? this.#runs.recordError
    if (failure !== undefined) problems.push({ code: 'store_failing', message: failure.slice(0, maxProblemMessage) })
    for (const [handler, count] of this.#runs.overdue.counts) problems.push({ code: 'handler_overdue', handler, count })
    if (this.#context.memory.isExhausted) problems.push({ code: 'memory_exhausted' })
    return problems
  }

  /** The slots and the bytes of memory that tasks and calls of the store hold. Both are 0 while the worker is idle. */
  get held(): { slots: number; bytes: number } {
    const { slots, memory } = this.#context
    return { slots: slots.taken, bytes: memory.held }
  }

  /** Starts the next round now, because there may be unmatched deliveries. */
  wake(): void {
    this.#unmatched.raise()
    this.#loop.wake()
  }

  handlersChanged(): void {
    this.#registration.handlersChanged()
    this.wake()
  }

  /**
   * Ends the rounds, waits for the last one and for the running attempts, aborts the handlers that still run after
   * `grace` milliseconds, and releases the leases. If the store does not answer, the leases expire once the heartbeats
   * of the process have ended.
   */
  stop(grace: number): Promise<void> {
    this.#stopping = this.#stop(grace)
    return this.#stopping
  }

  async #stop(grace: number): Promise<void> {
    const lastRound = this.#loop.stop()
    this.#runs.startNoMore()
    const idle = lastRound.then(() => this.#runs.idle())
    const limit = grace === Number.POSITIVE_INFINITY ? '' : `, for at most ${grace / 1000} s`
    if (grace > 0) this.#logRunning(`Waiting for running handlers${limit}`, { grace })
    await within(grace, idle)
    this.#logRunning('Aborting handlers that still run; unless they succeed, their deliveries run again')
    this.#runs.abort()
    await within(abortGrace, idle)
    this.#context.suspensions.stop()
    await within(closeTimeout, this.#registration.releaseAll())
  }

  /** Logs which handlers run, if any do. */
  #logRunning(message: string, fields: object = {}): void {
    const byName = Map.groupBy(this.#runs.running, (handler) => handler)
    const handlers = Object.fromEntries([...byName].map(([name, attempts]) => [name, attempts.length]))
    if (byName.size > 0)
      this.#context.host.logger.info({ handlers, ...fields }, `${message}: ${countedNames(handlers)}`)
  }

  /** Whether no task runs or is due. */
  async #isDone(): Promise<boolean> {
    if (!this.#runs.isIdle) return false
    const nextAt = await this.#nextDueAt()
    return nextAt === undefined || nextAt > this.#context.clock.now()
  }

  async #nextDueAt(): Promise<number | undefined> {
    const { inbox, host } = this.#context
    if (!this.#handlesDeliveries) return undefined
    return inbox.nextDueAt(
      host.registrations().map(({ name }) => name),
      host.sources,
    )
  }

  /** False before the program registers its first handler: every delivery would end as `ignored`. */
  get #handlesDeliveries(): boolean {
    const { host } = this.#context
    return host.registrations().length > 0 || host.withoutHandlers === 'ignore'
  }

  #roomForTask(mayBeDue: boolean): void {
    if (mayBeDue) this.#due.raise()
    this.#loop.wake()
  }

  async #round(): Promise<boolean> {
    await this.#context.host.whenIdle(idleTimeout)
    if (this.#loop.isStopped) return false
    for (const id of this.#registration.takeRetired()) void this.#releaseRetired(id)
    const worker = await this.#registration.register()
    if (this.#loop.isStopped) return false
    const foundWork = await this.#findWork(worker)
    if (this.#failure !== undefined) this.#context.host.logger.info({}, 'The inbox works again; handlers start')
    this.#failure = undefined
    return foundWork
  }

  /**
   * Starts due tasks. Then matches new deliveries, and starts their tasks for which a slot is free.
   * @returns whether it has found work.
   */
  async #findWork(worker: number): Promise<boolean> {
    if (!this.#handlesDeliveries || !this.#runs.mayClaim) return false
    const registrations = this.#context.host.registrations()
    this.#warnOfMemory()
    this.#context.slots.startRound()
    const due = await this.#claim(worker, registrations)
    if (this.#loop.isStopped) return true // `stop` releases the claimed tasks, with the leases of this worker
    if (due.length > 0) await this.#runs.start(due)
    if (this.#loop.isStopped) return true
    const matched = await this.#match(worker, registrations)
    return due.length + matched > 0
  }

  /**
   * Claims due tasks. A claim takes a commit, so the worker claims only after a signal that a task may be due, or when
   * `pollInterval` has passed since the last claim.
   */
  async #claim(worker: number, registrations: readonly Registration[]): Promise<Claim[]> {
    if (!this.#due.take(this.#context.inbox.pollInterval)) return []
    const { inbox, host, memory, clock, slots, suspensions } = this.#context
    const candidates = await this.#withDueTasks(registrations)
    if (candidates.length === 0 || this.#loop.isStopped) return []
    // Taken before the claim, because other tasks may take slots during it.
    const free = new Map(candidates.map((registration) => [registration.name, slots.takeAll(registration)]))
    const wanted = Object.fromEntries([...free].map(([handler, own]) => [handler, own.length]))
    const ahead = Object.fromEntries([...free].flatMap(([name, own]) => (own.ahead > 0 ? [[name, own.ahead]] : [])))
    const claim = { worker, calledAt: suspensions.callTime(), chainStart: performance.now() }
    const limits = { bytes: batchBytes, largest: memory.largestBody, suspect: this.#runs.maySuspectStart }
    try {
      const tasks = await inbox.claim(worker, { wanted, ahead, ...limits, sources: host.sources, now: clock.now() })
      const claims = tasks.map((task): Claim => ({ ...task, ...claim, slot: free.get(task.handler)?.pop() as Slot }))
      // A handler whose free slots were all filled may have more due tasks. Large tasks may wait for memory.
      const isLimited = limits.largest < Number.POSITIVE_INFINITY
      if (isLimited || [...free.values()].some((own) => own.length === 0)) this.#due.raise()
      return claims
    } finally {
      for (const slots of free.values()) slots.release()
    }
  }

  /** The handlers that may have due tasks. If there are many handlers, a claim for all of them takes milliseconds. */
  async #withDueTasks(registrations: readonly Registration[]): Promise<readonly Registration[]> {
    const { inbox, host, clock } = this.#context
    if (!inbox.dueHandlers || registrations.length < manyHandlers) return registrations
    const due = new Set(await inbox.dueHandlers(clock.now(), host.sources))
    return due.size > 0 ? registrations.filter(({ name }) => due.has(name)) : []
  }

  /**
   * Matches new deliveries. The transaction that records the matches also claims some of the new tasks for this worker,
   * and this method starts them. @returns the number of matched deliveries.
   */
  async #match(worker: number, registrations: readonly Registration[]): Promise<number> {
    if (!this.#unmatched.take(this.#context.inbox.pollInterval)) return 0
    const { slots } = this.#context
    const claimable = Math.max(...registrations.map((registration) => slots.claimable(registration)))
    const ordered = registrations.some(({ options }) => options.order !== undefined)
    const areSlow = Math.max(claimable, ...registrations.map((registration) => slots.ended(registration))) < minMatched
    const least = this.#isBehind && areSlow ? maxMatched : minMatched
    // With an order, most of the matched tasks may wait for older tasks. So match many, to find enough that can run.
    const limit = ordered ? orderedMatched : Math.min(Math.max(claimable, least), maxMatched)
    const { matched, tasks, gone, unreadable, mayBeDue } = await this.#matcher.match(worker, {
      limit,
      ordered,
      sources: this.#context.host.sources,
      now: this.#context.clock.now(),
    })
    // Not the limit: a store may offer the deliveries that it has read for the previous limit.
    this.#isBehind = matched >= minMatched
    if (matched > 0) this.#unmatched.raise()
    if (mayBeDue) this.#due.raise()
    for (const one of gone) reportUnmatched(this.#context.host, one)
    for (const delivery of unreadable) reportUnreadable(this.#context, delivery)
    if (this.#loop.isStopped) return matched
    for (const task of tasks) this.#runs.run(task)
    return matched
  }

  /** Retires the current id. The next round releases it, because the current round may still start tasks with it. */
  #retireId(): void {
    this.#registration.retire()
    this.#nextFailure.resolve()
    this.#nextFailure = Promise.withResolvers()
    this.#due.raise()
    this.#unmatched.raise()
    this.#loop.wake()
  }

  /**
   * Releases a retired id once its tasks have ended. Until then, releases the leases that the worker does not know: at
   * once, after each failed call, and every `leaseDuration`, because the store may carry out a failed call later. No new
   * task gets this id. So a task that the worker does not know when a release begins cannot start during the release.
   */
  async #releaseRetired(id: number): Promise<void> {
    const { leaseDuration } = this.#context.inbox
    for (;;) {
      const failure = this.#nextFailure.promise // before the release, which knows nothing of later failures
      const known = this.#runs.tasksOf(id)
      if (known.length === 0) return this.#registration.release(id)
      const isReleased = await this.#registration.releaseUnknown(id, known)
      if (!isReleased) await this.#loop.pause()
      else await this.#loop.wait(leaseDuration, Promise.race([this.#runs.idle(id), failure]))
      if (this.#loop.isStopped) return // `stop` releases all ids
    }
  }

  /** Logs a failure of the store, unless the previous failure had the same reason. */
  #logFailure(err: unknown): void {
    const reason = err instanceof Error ? err.message : String(err)
    if (reason === this.#failure) return
    this.#failure = reason
    this.#context.host.logger.error({ err }, 'The inbox failed; no handler starts until it works again')
  }

  /**
   * Logs a warning when there has been no memory for large payloads for ten seconds. Warns again only if memory became
   * free meanwhile.
   */
  #warnOfMemory(): void {
    const { isExhausted, held } = this.#context.memory
    if (isExhausted && !this.#wasExhausted) {
      const message =
        'Deliveries with large payloads wait: running handlers hold all the memory that "payloadMemory" allows for them'
      this.#context.host.logger.warn({ held, limit: this.#context.host.payloadMemory }, message)
    }
    this.#wasExhausted = isExhausted
  }
}

/** @throws {Error} if the store does not answer within `storeTimeout`. */
async function answered<T>(call: Promise<T>): Promise<T> {
  let answer: { value: T } | undefined
  await within(
    storeTimeout,
    call.then((value) => (answer = { value })),
  )
  if (!answer) throw new Error(`The inbox did not respond within ${storeTimeout} ms`)
  return answer.value
}

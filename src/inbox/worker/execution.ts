import { ReceivedDelivery } from '../../delivery.ts'
import type { Registration } from '../../handler.ts'
import type { Json } from '../../runtime/json.ts'
import type { Release } from '../../runtime/memory-pool.ts'
import { startTimer, within } from '../../runtime/timer.ts'
import { diagnostics } from '../../telemetry/diagnostics.ts'
import { traceStoredAttempt } from '../../telemetry/operations.ts'
import type { ClaimedTask, Inbox, StoredDelivery } from '../inbox.ts'
import { type FinishedAttempt, runAttempt } from './attempt.ts'
import { AttemptLog } from './attempt-log.ts'
import type { Slots } from './concurrency.ts'
import { readPayload, toDeliveryHeaders } from './match-delivery.ts'
import { type PayloadMemory, smallBody } from './payload-memory.ts'
import type { Clock, WorkerHost } from './worker-host.ts'

/** Milliseconds after which a store that failed is asked again. */
export const afterFailure = 1000

/** A task that a worker has claimed. */
export interface RunningTask extends ClaimedTask {
  worker: number
  registration: Registration
  stored: StoredDelivery
  /** The payload, if it was parsed to match it; else it is parsed once there is memory for it. */
  data: Json | undefined
  /** Bytes of memory that the parsed payload takes. */
  cost: number
  /** When the first of the tasks with the same key began that follow each other directly, by `performance.now()`. */
  chainStart: number
}

/** What an execution tells its worker. */
export interface ExecutionEvents {
  /** There is room for another task. @param mayBeDue Whether the end of an attempt may have made another task due. */
  changed(mayBeDue: boolean): void
  /** Whether a task may begin in the place of one that ended: not once the worker is retired, or stops. */
  mayBeginNext(worker: number): boolean
  /** A task began in the place of one that ended; its slot is taken. Resolves when it runs, or is given back. */
  next(worker: number, task: ClaimedTask, chainStart: number): Promise<void>
}

/** Milliseconds for which tasks with one key may follow each other directly, before other due tasks get the slot. */
const maxChain = 1000

/** Milliseconds that a handler has to end after its timeout before it is reported. */
const overdueGrace = 1000

/** The attempts that are under way in this process, from their beginning to the record of their outcome. */
export class Execution {
  readonly #inbox: Inbox
  readonly #host: WorkerHost
  readonly #clock: Clock
  readonly #slots: Slots
  readonly #memory: PayloadMemory
  readonly #events: ExecutionEvents
  readonly #running = new Map<ReceivedDelivery, Promise<unknown>>()
  /** Tasks that wait for memory: how to give up, and their end. */
  readonly #waiting = new Map<() => void, Promise<void>>()
  readonly #overdue = new Map<string, number>()
  readonly #abandoned = Promise.withResolvers<void>()
  #aborted = false

  constructor(
    inbox: Inbox,
    host: WorkerHost,
    clock: Clock,
    { slots, memory }: { slots: Slots; memory: PayloadMemory },
    events: ExecutionEvents,
  ) {
    this.#inbox = inbox
    this.#host = host
    this.#clock = clock
    this.#slots = slots
    this.#memory = memory
    this.#events = events
  }

  /** Runs a task, whose slot has been taken, as soon as there is memory for its payload. */
  begin(task: RunningTask): void {
    const release = this.#memory.takeAtOnce(task.cost)
    if (release) {
      void this.#run(task, release)
      return
    }
    const { room, giveUp } = this.#memory.wait(task.cost)
    const { promise: givenUp, resolve } = Promise.withResolvers<undefined>()
    const stopWaiting = () => {
      giveUp()
      resolve(undefined)
    }
    const ended = Promise.race([room, givenUp]).then((release) => {
      this.#waiting.delete(stopWaiting)
      if (release) return this.#run(task, release)
      this.#slots.release(task.handler)
    })
    this.#waiting.set(stopWaiting, ended)
  }

  /** @returns once the outcome is recorded. */
  #run(task: RunningTask, release: Release): Promise<void> {
    const { stored, attemptsUsed: spent, replayed } = task
    const { data, registration } = this.#payloadOf(task)
    const log = new AttemptLog(this.#host.logger)
    const { body: _body, ...withoutBody } = stored // not kept in memory once it is parsed
    const facts = { ...toDeliveryHeaders(withoutBody), attempt: spent, replayed }
    const delivery = new ReceivedDelivery(facts, data, log.logger, this.#host.octokits)
    const began = performance.now()
    const stopping = () => this.#aborted
    const run = () =>
      runAttempt({ registration, delivery, attemptsUsed: spent, now: () => this.#clock.now(), stopping })
    const { result, settled } = traceStoredAttempt(registration.name, delivery, stored, run)
    let hasSettled = false
    let stopWatching = () => {}
    void result.then(() => {
      release()
      if (!hasSettled) stopWatching = this.#watch(registration.name, delivery.guid)
    })
    void settled.then(() => {
      hasSettled = true
      stopWatching()
      this.#slots.release(registration.name)
      this.#events.changed(false)
    })
    const recorded = result.then((ended) => {
      const duration = Math.round(performance.now() - began)
      const startedAt = this.#clock.now() - duration // by the clock as it is now: it may have jumped meanwhile
      const measured = { startedAt, duration, log: log.text }
      return this.#record(task, measured, ended, delivery)
    })
    this.#running.set(delivery, recorded)
    return recorded.then((mayBeDue) => {
      this.#running.delete(delivery)
      this.#events.changed(mayBeDue)
    })
  }

  /** The payload and its handler. For a payload that cannot be read, a handler that fails takes its place. */
  #payloadOf({ data, stored, cost, registration }: RunningTask): { data: Json; registration: Registration } {
    try {
      return { data: data ?? readPayload(stored, cost, this.#host), registration }
    } catch (error) {
      return { data: {}, registration: { ...registration, handler: () => Promise.reject(error) } }
    }
  }

  /** Reports a handler that runs on after its attempt has ended. @returns a function that ends the report. */
  #watch(handler: string, guid: string): () => void {
    let isOverdue = false
    const stop = startTimer(() => {
      isOverdue = true
      this.#overdue.set(handler, (this.#overdue.get(handler) ?? 0) + 1)
      const message = `Handler ${handler} runs on after its attempt has ended, and keeps its place in "concurrency"`
      this.#host.logger.warn({ handler, guid }, `${message}: have it heed delivery.signal`)
    }, overdueGrace)
    return () => {
      stop()
      if (isOverdue) this.#overdue.set(handler, (this.#overdue.get(handler) ?? 1) - 1)
    }
  }

  /** How many attempts of each handler run on after their end. */
  get overdue(): ReadonlyMap<string, number> {
    return new Map([...this.#overdue].filter(([, count]) => count > 0))
  }

  /** Resolves when all that is under way now has ended and is recorded. */
  async idle(): Promise<void> {
    await Promise.all([...this.#waiting.values(), ...this.#running.values()])
  }

  /** Forgets the tasks that wait for memory: the store gives them back with the worker. */
  stopWaiting(): void {
    for (const stopWaiting of this.#waiting.keys()) stopWaiting()
  }

  /** Tells all that is under way to stop: what fails from now on has been cut off. */
  abort(): void {
    this.#aborted = true
    this.#abandoned.resolve()
    for (const delivery of this.#running.keys()) delivery.abort(new DOMException('Shutting down', 'AbortError'))
  }

  /** Tells the store how an attempt ended, again and again until it takes it. @returns whether another task may be due by that. */
  async #record(
    task: RunningTask,
    measured: { startedAt: number; duration: number; log: string | undefined },
    result: FinishedAttempt,
    delivery: ReceivedDelivery,
  ): Promise<boolean> {
    const { worker, id, handler, attempt } = task
    const { thrown, ...ended } = result
    this.#tell(task, result, delivery, measured.duration)
    let wantsNext = false
    for (;;) {
      wantsNext ||= this.#wantsNext(task) // once asked for, the next task may have begun though the answer was lost
      if (wantsNext) this.#slots.take(handler)
      try {
        const outcome = { id, handler, attempt, ...measured, ...ended, ...(wantsNext && { nextBytes: smallBody }) }
        const [standing] = await this.#inbox.finish(worker, [outcome])
        // The last to end may not be the one that died.
        const died = ended.outcome === 'dead' ? thrown : new Error('Another handler had failed for the last time')
        if (standing?.state === 'dead') this.died(id, delivery, died)
        if (standing?.next) await this.#events.next(worker, standing.next, task.chainStart)
        else if (wantsNext) this.#slots.release(handler)
        const isOrdered = task.registration.options.order !== undefined
        return ended.outcome === 'failed' || (isOrdered && !standing?.next)
      } catch (err) {
        if (wantsNext) this.#slots.release(handler)
        this.#host.logger.error({ err, handler, guid: delivery.guid }, 'How an attempt ended could not be recorded')
        if (this.#aborted) return false // it will be made again
        await within(afterFailure, this.#abandoned.promise)
      }
    }
  }

  /** Whether the next task with the same key may begin in the place of this one. */
  #wantsNext({ worker, registration, chainStart }: RunningTask): boolean {
    if (registration.options.order === undefined || performance.now() - chainStart > maxChain) return false
    return this.#events.mayBeginNext(worker) && this.#slots.free(registration) > 0
  }

  #tell({ id, handler }: RunningTask, result: FinishedAttempt, delivery: ReceivedDelivery, duration: number): void {
    const { outcome, thrown: error, nextAt } = result
    const { guid, event, action, source, attempt } = delivery
    this.#host.attempted(handler, outcome)
    if (diagnostics.attempt?.hasSubscribers) {
      diagnostics.attempt.publish({ id, guid, event, source, handler, attempt, outcome, duration, error })
    }
    if (nextAt !== undefined && diagnostics.retried?.hasSubscribers) {
      diagnostics.retried.publish({ id, guid, event, source, handler, attempt, nextAt, error })
    }
    if (outcome !== 'failed' && outcome !== 'dead') return
    const fate = outcome === 'dead' ? 'for the last time' : 'and will be tried again'
    this.#host.logger.error({ err: error, handler, guid, event, action, attempt }, `Handler ${handler} failed ${fate}`)
    this.#host.onError(error, delivery)
  }

  /** A delivery has ended `dead`. */
  died(id: number, delivery: ReceivedDelivery, error: unknown): void {
    const { guid, event, source } = delivery
    if (diagnostics.dead?.hasSubscribers) diagnostics.dead.publish({ id, guid, event, source, error })
    this.#host.onDead(error, delivery)
  }
}

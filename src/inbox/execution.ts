import { ReceivedDelivery } from '../delivery.ts'
import { diagnostics } from '../diagnostics.ts'
import type { Registration } from '../handler.ts'
import type { Json } from '../json.ts'
import { within } from '../timer.ts'
import { endAttempt, traceAttempt } from '../tracing.ts'
import { type Result, runAttempt } from './attempt.ts'
import { AttemptLog } from './attempt-log.ts'
import type { Clock, WorkerHost } from './host.ts'
import type { Begun, Inbox, StoredDelivery } from './inbox.ts'
import { deliveryFacts } from './planning.ts'
import type { Slots } from './slots.ts'

/** Milliseconds after which a store that failed is asked again. */
export const afterFailure = 1000

/** A task that a worker has begun. */
export interface BegunTask extends Begun {
  worker: number
  registration: Registration
  /** Without its bytes, which nobody needs once they are read. */
  stored: Omit<StoredDelivery, 'body'>
  data: Json
  /** Bytes that the payload came in. */
  size: number
}

/** The attempts that are under way in this process, from their beginning to the record of their outcome. */
export class Execution {
  readonly #inbox: Inbox
  readonly #host: WorkerHost
  readonly #clock: Clock
  readonly #slots: Slots
  readonly #changed: (mayBeDue: boolean) => void
  readonly #running = new Map<ReceivedDelivery, Promise<void>>()
  readonly #abandoned = Promise.withResolvers<void>()
  #aborted = false
  #bytes = 0

  /** @param changed Told when there is room for another, and whether what has ended may have made another due. */
  constructor(inbox: Inbox, host: WorkerHost, clock: Clock, slots: Slots, changed: (mayBeDue: boolean) => void) {
    this.#inbox = inbox
    this.#host = host
    this.#clock = clock
    this.#slots = slots
    this.#changed = changed
  }

  /** Runs a task, whose slot has been taken. */
  begin(task: BegunTask): void {
    const { registration, stored, data, size, spent, replayed } = task
    this.#bytes += size
    const log = new AttemptLog(this.#host.logger)
    const facts = { ...deliveryFacts(stored), attempt: spent, replayed }
    const delivery = new ReceivedDelivery(facts, data, log.logger, this.#host.octokits)
    const began = performance.now()
    const stopping = () => this.#aborted
    const span = traceAttempt(registration.name, delivery, stored.trace)
    const run = () => runAttempt({ registration, delivery, spent, now: () => this.#clock.now(), stopping })
    const { result, settled } = span ? span.within(run) : run()
    if (span) void result.then((ended) => endAttempt(span, ended))
    void settled.then(() => {
      this.#bytes -= size
      this.#slots.give(registration.name)
      this.#changed(false)
    })
    let mayBeDue = registration.options.order !== undefined // whoever waits for its turn
    const recorded = result.then((ended) => {
      mayBeDue ||= ended.outcome === 'failed'
      const duration = Math.round(performance.now() - began)
      const startedAt = this.#clock.now() - duration // by the clock as it is now: it may have jumped meanwhile
      const measured = { startedAt, duration, log: log.text }
      return this.#record(task, measured, ended, delivery)
    })
    this.#running.set(delivery, recorded)
    void recorded.then(() => {
      this.#running.delete(delivery)
      this.#changed(mayBeDue)
    })
  }

  /** Bytes that the payloads of what is under way came in. */
  get bytes(): number {
    return this.#bytes
  }

  /** Resolves when all that is under way now has ended and is recorded. */
  async idle(): Promise<void> {
    await Promise.all(this.#running.values())
  }

  /** Tells all that is under way to stop: what fails from now on has been cut off. */
  abort(): void {
    this.#aborted = true
    this.#abandoned.resolve()
    for (const delivery of this.#running.keys()) delivery.abort(new DOMException('Shutting down', 'AbortError'))
  }

  /** Tells the store how an attempt ended, again and again until it takes it. */
  async #record(
    task: BegunTask,
    measured: { startedAt: number; duration: number; log: string | undefined },
    result: Result,
    delivery: ReceivedDelivery,
  ): Promise<void> {
    const { worker, id, handler, attempt } = task
    const { thrown, ...ended } = result
    this.#tell(task, result, delivery, measured.duration)
    for (;;) {
      try {
        const standings = await this.#inbox.finish(worker, [{ id, handler, attempt, ...measured, ...ended }])
        // The last to end may not be the one that died.
        const died = ended.outcome === 'dead' ? thrown : new Error('Another handler had failed for the last time')
        if (standings[0]?.state === 'dead') this.died(id, delivery, died)
        return
      } catch (err) {
        this.#host.logger.error({ err, handler, guid: delivery.guid }, 'How an attempt ended could not be recorded')
        if (this.#aborted) return // it will be made again
        await within(afterFailure, this.#abandoned.promise)
      }
    }
  }

  #tell({ id, handler }: BegunTask, result: Result, delivery: ReceivedDelivery, duration: number): void {
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

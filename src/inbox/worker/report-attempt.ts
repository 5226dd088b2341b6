/** Tells the operator and the application how attempts end: the log, the diagnostics channels, `onError` and `onDead`. */
import { ReceivedDelivery } from '../../delivery.ts'
import { startTimer } from '../../runtime/timer.ts'
import { diagnostics } from '../../telemetry/diagnostics.ts'
import type { Logger } from '../../telemetry/logger.ts'
import type { RunningTask } from './attempt.ts'
import type { HandlerOutcome } from './handler-outcome.ts'
import { type MatchedDelivery, toDeliveryHeaders } from './match-delivery.ts'
import type { WorkerHost } from './worker-host.ts'

/** @param duration Milliseconds. */
export function reportAttempt(
  host: WorkerHost,
  { id, handler }: RunningTask,
  delivery: ReceivedDelivery,
  { outcome, thrown: error, nextAt }: HandlerOutcome,
  duration: number,
): void {
  const { guid, event, action, source, attempt } = delivery
  host.attempted(handler, outcome)
  if (diagnostics.attempt?.hasSubscribers) {
    diagnostics.attempt.publish({ id, guid, event, source, handler, attempt, outcome, duration, error })
  }
  if (nextAt !== undefined && diagnostics.retried?.hasSubscribers) {
    diagnostics.retried.publish({ id, guid, event, source, handler, attempt, nextAt, error })
  }
  if (outcome !== 'failed' && outcome !== 'dead') return
  const consequence = outcome === 'dead' ? 'for the last time' : 'and will be tried again'
  const fields = { err: error, handler, guid, event, action, attempt }
  host.logger.error(fields, `Handler ${handler} failed ${consequence}`)
  host.onError(error, delivery)
}

/** Reports a delivery that has ended as `dead`. */
export function reportDead(host: WorkerHost, id: number, delivery: ReceivedDelivery, error: unknown): void {
  const { guid, event, source } = delivery
  if (diagnostics.dead?.hasSubscribers) diagnostics.dead.publish({ id, guid, event, source, error })
  host.onDead(error, delivery)
}

/** Reports a delivery whose payload cannot be read, and that has ended as `dead` before any handler saw it. */
export function reportUnreadable(host: WorkerHost, { match: { id, invalid = '' }, stored }: MatchedDelivery): void {
  host.logger.error({ guid: stored.guid, event: stored.event }, `Not handled: ${invalid}`)
  const delivery = new ReceivedDelivery(toDeliveryHeaders(stored), {}, host.logger, host.octokits)
  reportDead(host, id, delivery, new Error(invalid))
}

/** Milliseconds that a handler has to end after its attempt before it is reported. */
const overdueGrace = 1000

/** Reports handlers that still run after their attempt has ended. */
export class OverdueHandlers {
  readonly #logger: Logger
  readonly #counts = new Map<string, number>()

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /** How many attempts of each handler still run after their end. */
  get counts(): ReadonlyMap<string, number> {
    return new Map([...this.#counts].filter(([, count]) => count > 0))
  }

  /** Watches a handler whose attempt has ended. @param settled Resolves when its code has ended. */
  async watch(handler: string, guid: string, settled: Promise<void>): Promise<void> {
    let isOverdue = false
    const stopTimer = startTimer(() => {
      isOverdue = true
      this.#add(handler, 1)
      const message = `Handler ${handler} still runs after its attempt has ended, and holds its slot in "concurrency"`
      this.#logger.warn({ handler, guid }, `${message}: make it stop when delivery.signal aborts`)
    }, overdueGrace)
    await settled
    stopTimer()
    if (isOverdue) this.#add(handler, -1)
  }

  #add(handler: string, change: number): void {
    this.#counts.set(handler, (this.#counts.get(handler) ?? 0) + change)
  }
}

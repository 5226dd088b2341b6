/** Reports attempts to the log, the diagnostics channels, `onError` and `onDead`. */
import { ReceivedDelivery } from '../../delivery.ts'
import { startTimer } from '../../runtime/timer.ts'
import { diagnostics } from '../../telemetry/diagnostics.ts'
import type { Logger } from '../../telemetry/logger.ts'
import type { GoneTasks } from '../task-queue.ts'
import type { HandlerOutcome, RunningTask } from './attempt.ts'
import type { MatchedDelivery } from './matcher.ts'
import { readBody, toDeliveryHeaders } from './payload.ts'
import type { WorkerContext, WorkerHost } from './worker-host.ts'

/** @param duration Milliseconds. */
export function reportAttempt(
  host: WorkerHost,
  { id, handler }: RunningTask,
  delivery: ReceivedDelivery,
  { outcome, thrown: error, nextAt }: HandlerOutcome,
  duration: number,
): void {
  const { guid, event, action, source, attempt } = delivery
  const receivedAt = delivery.receivedAt.getTime()
  host.attempted({ handler, outcome, duration, receivedAt })
  if (diagnostics.attempt?.hasSubscribers) {
    const ended = { handler, attempt, outcome, duration, receivedAt, error }
    diagnostics.attempt.publish({ id, guid, event, action, source, ...ended })
  }
  if (nextAt !== undefined && diagnostics.retried?.hasSubscribers) {
    diagnostics.retried.publish({ id, guid, event, source, handler, attempt, nextAt, error })
  }
  if (outcome !== 'failed' && outcome !== 'dead') return
  const consequence = outcome === 'dead' ? 'in its last attempt' : 'and will be tried again'
  const fields = { err: error, handler, id, guid, event, action, attempt }
  host.logger.error(fields, `Handler ${handler} failed ${consequence}`)
  const nextAttemptAt = nextAt === undefined ? undefined : new Date(nextAt)
  host.onError({ error, delivery, handler, attempt, nextAttemptAt })
}

/**
 * Reports a delivery that has ended as `dead`.
 * @param handler The handler whose failure ended it. `undefined` if no handler was called.
 */
export function reportDead(
  host: WorkerHost,
  { id, handler }: { id: number; handler: string | undefined },
  delivery: ReceivedDelivery,
  error: unknown,
): void {
  const { guid, event, source, attempt } = delivery
  if (diagnostics.dead?.hasSubscribers) diagnostics.dead.publish({ id, guid, event, source, error })
  host.onDead({ error, delivery, handler, attempt, nextAttemptAt: undefined })
}

/** Reports a delivery that has ended as `dead` before any handler saw it, because its payload cannot be read. */
export function reportUnreadable({ host, inbox }: WorkerContext, { match, stored }: MatchedDelivery): void {
  const { id, invalid = '' } = match
  host.logger.error({ id, guid: stored.guid, event: stored.event }, `Not handled: ${invalid}`)
  const payload = { data: {}, members: {} }
  const { logger, octokits } = host
  const sources = { logger, octokits, readBody: () => readBody(inbox, id) }
  const { body: _body, ...headers } = stored // an `onDead` that keeps the delivery must not keep the body in memory
  const delivery = new ReceivedDelivery(toDeliveryHeaders(headers), payload, sources)
  reportDead(host, { id, handler: undefined }, delivery, new Error(invalid))
}

/** Reports tasks that the store has ended, because no worker had registered their handler. */
export function reportGone({ logger }: WorkerHost, { handler, count }: GoneTasks): void {
  const tasks = count === 1 ? '1 due task' : `${count} due tasks`
  const reason = 'no worker had registered this handler for the time "vanishAfter"'
  const cure = 'to run them, register the handler again and retry it for the deliveries that the search is:gone finds'
  logger.warn({ handler, count }, `Ended ${tasks} of handler ${handler} as gone, because ${reason}: ${cure}`)
}

/** Reports tasks that a match has ended, because their handler no longer matches. */
export function reportUnmatched({ logger }: WorkerHost, { handler, count }: GoneTasks): void {
  const tasks = count === 1 ? '1 task' : `${count} tasks`
  const reason = 'the handler no longer matches, and their deliveries were made to run again'
  logger.warn({ handler, count }, `Ended ${tasks} of handler ${handler} as gone, because ${reason}`)
}

/** Milliseconds from the end of an attempt until its handler is reported as overdue, if the handler still runs. */
const overdueGrace = 1000

/** Reports handlers that still run after their attempt has ended. */
export class OverdueHandlers {
  readonly #logger: Logger
  readonly #counts = new Map<string, number>()

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /** For each handler, the number of attempts that ended more than `overdueGrace` ago and whose code still runs. */
  get counts(): ReadonlyMap<string, number> {
    return new Map([...this.#counts].filter(([, count]) => count > 0))
  }

  /** Watches a handler whose attempt has ended. @param settled Resolves when its code has ended. */
  async watch(
    handler: string,
    { id, guid }: Pick<ReceivedDelivery, 'id' | 'guid'>,
    settled: Promise<void>,
  ): Promise<void> {
    let isOverdue = false
    const stopTimer = startTimer(() => {
      isOverdue = true
      this.#add(handler, 1)
      const message = `Handler ${handler} still runs after its attempt has ended, and holds its slot in "concurrency"`
      this.#logger.warn({ handler, id, guid }, `${message}: make it stop when delivery.signal aborts`)
    }, overdueGrace)
    await settled
    stopTimer()
    if (isOverdue) this.#add(handler, -1)
  }

  #add(handler: string, change: number): void {
    this.#counts.set(handler, (this.#counts.get(handler) ?? 0) + change)
  }
}

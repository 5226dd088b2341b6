import type { ReceivedDelivery } from '../../delivery.ts'
import type { Registration } from '../../handler.ts'
import type { Json } from '../../runtime/json.ts'
import { startTimer } from '../../runtime/timer.ts'
import type { ClaimedTask, StoredDelivery } from '../inbox.ts'
import { defaultAttempts } from '../retry.ts'
import { attemptsExhausted, failureOutcome, type HandlerOutcome, successOutcome } from './handler-outcome.ts'

/** Milliseconds that an attempt may take. */
export const defaultTimeout: number = 15 * 60 * 1000

/** A claimed task with all that its attempt needs. It holds a slot of its handler. */
export interface RunningTask extends ClaimedTask {
  /** The id of the worker that holds the lease. */
  worker: number
  registration: Registration
  stored: StoredDelivery
  /** The payload if it was parsed to match the delivery; otherwise it is parsed once there is memory for it. */
  data: Json | undefined
  /** Bytes of memory that the parsed payload takes. */
  cost: number
  /**
   * When the first task of its chain started, by `performance.now()`. In a chain, tasks with one order key start in place
   * of each other, without a claim.
   */
  chainStart: number
}

/** The task that continues the chain of one that has ended. It holds the slot of that one. */
export type NextTask = ClaimedTask & Pick<RunningTask, 'worker' | 'chainStart'>

export interface AttemptOptions {
  registration: Registration
  delivery: ReceivedDelivery
  /** Attempts that count against the limit, including this one. */
  attemptsUsed: number
  now: () => number
  /** Whether the worker has aborted its handlers: an attempt that fails from then on was interrupted by the shutdown. */
  isAborted: () => boolean
}

/**
 * Calls a handler for a delivery.
 * @returns `result` resolves as soon as the outcome is known, and never rejects. `settled` resolves when the handler's
 * code has ended: before `result` does, or long after it if the handler exceeds its timeout and ignores `signal`.
 */
export function runAttempt(options: AttemptOptions): { result: Promise<HandlerOutcome>; settled: Promise<void> } {
  const { registration, delivery, attemptsUsed, now, isAborted } = options
  const { handler, options: settings } = registration
  const { timeout = defaultTimeout, attempts = defaultAttempts, backoff } = settings
  if (attemptsUsed > attempts) {
    return { result: Promise.resolve(attemptsExhausted(attempts)), settled: Promise.resolve() }
  }
  const { promise: timedOut, reject } = Promise.withResolvers<never>()
  const stopTimer = startTimer(() => {
    const reason = new DOMException(`${registration.name} did not finish within ${timeout} ms`, 'TimeoutError')
    delivery.abort(reason)
    reject(reason)
  }, timeout)
  const returned = new Promise((resolve) => {
    resolve(handler(delivery.data, delivery.guid, delivery))
  })
  const outcome = async (): Promise<HandlerOutcome> => {
    try {
      return successOutcome(await Promise.race([returned, timedOut]))
    } catch (thrown) {
      if (isAborted()) return { outcome: 'released', thrown }
      return failureOutcome(thrown, { attemptsUsed, attempts, backoff, now: now() })
    } finally {
      stopTimer()
    }
  }
  return { result: outcome(), settled: returned.then(ignore, ignore) }
}

const ignore = (): void => {}

/** Calls the handler of a task, and derives the outcome of the attempt from its result or its error. */
import type { DeliveryPayload, ReceivedDelivery } from '../../delivery.ts'
import type { Registration } from '../../handler.ts'
import { startTimer } from '../../runtime/timer.ts'
import { isDiscard, isUnrecoverable } from '../../thrown.ts'
import type { AttemptResult, ClaimedTask, StoredDelivery } from '../inbox.ts'
import { defaultAttempts, defaultTimeout, latestTime, requestedDelay, retryDelay } from '../retry.ts'
import type { Slot } from './slots.ts'
import type { CallTime } from './suspensions.ts'

/** A task that this process has claimed. */
export interface Claim extends ClaimedTask {
  /** The id of the worker that holds the lease. */
  worker: number
  /** The slot in which the task runs. */
  slot: Slot
  /** When the call began that claimed the task. */
  calledAt: CallTime
  /**
   * When the first task of its chain took the slot, by `performance.now()`. A chain is a series of tasks with one order
   * key: the call that records the result of a task also claims the next one.
   */
  chainStart: number
}

/** A claimed task with all that its attempt needs. */
export interface RunningTask extends Claim {
  registration: Registration
  stored: StoredDelivery
  /** The payload if it was parsed to match the delivery. `undefined`: it is parsed once there is memory for it. */
  payload: DeliveryPayload | undefined
  /** Bytes of memory that the parsed payload takes. */
  cost: number
}

/** Whether other tasks may wait for this one. A stored task keeps its order key if a program removes the option `order`. */
export const isOrdered = ({ ordered = false, registration }: RunningTask): boolean =>
  ordered || registration.options.order !== undefined

export interface HandlerOutcome extends Pick<AttemptResult, 'outcome' | 'nextAt' | 'error' | 'result'> {
  /** The thrown value, for `onError`; the store gets `error`, its text. */
  thrown?: unknown
}

export interface AttemptOptions extends Pick<RunningTask, 'registration' | 'attemptsUsed' | 'uncounted'> {
  delivery: ReceivedDelivery
  now: () => number
  /** Whether the worker has aborted its handlers. An attempt that fails after that has the outcome `released`. */
  isAborted: () => boolean
}

/**
 * Calls a handler for a delivery. If the task has no attempts left, does not call the handler: the outcome is `dead`.
 * @returns `result` resolves as soon as the outcome is known, and never rejects. `settled` resolves when the handler's
 * code has ended: before `result` does, or long after it if the handler exceeds its timeout and ignores `signal`.
 */
export function runAttempt(options: AttemptOptions): { result: Promise<HandlerOutcome>; settled: Promise<void> } {
  const { registration, delivery, attemptsUsed, uncounted = 0, now, isAborted } = options
  const { handler, options: settings } = registration
  const { timeout = defaultTimeout, backoff } = settings
  const attempts = (settings.attempts ?? defaultAttempts) + uncounted
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
    delivery.beginAttempt(registration, attemptsUsed >= attempts)
    resolve(handler(delivery))
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

export function successOutcome(returned: unknown): HandlerOutcome {
  return { outcome: 'succeeded', result: describe(returned) }
}

interface FailureContext {
  attemptsUsed: number
  /** Maximum attempts. */
  attempts: number
  backoff: number | undefined
  now: number
}

/**
 * The outcome of a failure: `discarded` for a `Discard`, `dead` for an `Unrecoverable` and in the last attempt, else
 * `failed` with a retry.
 */
export function failureOutcome(thrown: unknown, context: FailureContext): HandlerOutcome {
  const { attemptsUsed, attempts, backoff, now } = context
  const reason = safely(() => (isDiscard(thrown) ? String(thrown.message) : undefined))
  if (reason !== undefined) return { outcome: 'discarded', error: truncate(reason), thrown }
  const error = truncate(describeError(thrown))
  if (attemptsUsed >= attempts || safely(() => isUnrecoverable(thrown))) return { outcome: 'dead', error, thrown }
  const delay = safely(() => requestedDelay(thrown, now)) ?? retryDelay(attemptsUsed, backoff)
  return { outcome: 'failed', error, thrown, nextAt: Math.min(Math.round(now + delay), latestTime) }
}

/** The outcome of a claimed task that has no attempts left: its last lease expired, or `attempts` was lowered. */
export function attemptsExhausted(attempts: number): HandlerOutcome {
  const thrown = new Error(
    `All ${attempts} attempts are used up: the lease of the last one expired, or "attempts" was lowered`,
  )
  return { outcome: 'dead', error: thrown.message, thrown }
}

/** Maximum characters of the stored text of a returned or thrown value. */
const maxTextLength = 16_384

const truncate = (text: string): string => (text.length > maxTextLength ? `${text.slice(0, maxTextLength)}…` : text)

function describe(returned: unknown): string | undefined {
  if (returned === undefined || returned === null) return undefined
  const text = () => (typeof returned === 'object' ? JSON.stringify(returned) : String(returned))
  return truncate(safely(text) ?? safely(() => Object.prototype.toString.call(returned)) ?? '[cannot be shown]')
}

/**
 * The stacks of an error and of its causes, or the text of any other value. The number of causes is limited, because
 * they may form a cycle.
 */
function describeError(thrown: unknown, maxCauses: number = 10): string {
  const parts = safely(() => (thrown instanceof Error ? stackAndCause(thrown) : undefined))
  if (!parts) return `Thrown: ${describe(thrown) ?? String(thrown)}`
  const [text, cause] = parts
  return cause === undefined || maxCauses === 0 ? text : `${text}\nCaused by: ${describeError(cause, maxCauses - 1)}`
}

function stackAndCause({ name, message, stack, cause }: Error): [text: string, cause: unknown] {
  return [`${stack ?? `${name}: ${message}`}`, cause]
}

/** Reads from a value that a handler has thrown or returned. @returns `undefined` if a getter of the value throws. */
function safely<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}

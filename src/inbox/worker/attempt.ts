import type { ReceivedDelivery } from '../../delivery.ts'
import type { Registration } from '../../handler.ts'
import { startTimer } from '../../runtime/timer.ts'
import type { AttemptResult } from '../inbox.ts'
import { defaultAttempts, requestedDelay, retryDelay } from '../retry.ts'

/** Milliseconds that an attempt may take, unless its handler says otherwise. */
export const defaultTimeout: number = 15 * 60 * 1000

/** How an attempt ended, and what was thrown if it failed. */
export interface FinishedAttempt extends Pick<AttemptResult, 'outcome' | 'nextAt' | 'error' | 'result'> {
  thrown?: unknown
}

/** An attempt that is under way. */
export interface RunningAttempt {
  /** Resolves as soon as the outcome is known; never rejects. */
  result: Promise<FinishedAttempt>
  /** Resolves when the handler's code is through: later, if it did not heed its `signal`. */
  settled: Promise<void>
}

export interface AttemptOptions {
  registration: Registration
  delivery: ReceivedDelivery
  /** Which of the attempts that are allowed this is. */
  attemptsUsed: number
  now: () => number
  /** Whether the worker has been told to stop: what fails from then on has been cut off. */
  stopping: () => boolean
}

/** Runs one handler for one delivery, once. */
export function runAttempt({
  registration,
  delivery,
  attemptsUsed: spent,
  now,
  stopping,
}: AttemptOptions): RunningAttempt {
  const { handler, options } = registration
  const timeout = options.timeout ?? defaultTimeout
  const attempts = options.attempts ?? defaultAttempts
  if (spent > attempts) return attemptsExhausted(attempts)

  const { promise: late, reject } = Promise.withResolvers<never>()
  const stop = startTimer(() => {
    const overdue = new DOMException(`${registration.name} did not finish within ${timeout} ms`, 'TimeoutError')
    delivery.abort(overdue)
    reject(overdue)
  }, timeout)
  const returned = new Promise((resolve) => resolve(handler(delivery.data, delivery.guid, delivery)))
  const ended = (thrown: unknown): FinishedAttempt => {
    if (stopping()) return { outcome: 'released', thrown }
    return failed(thrown, spent < attempts, now(), () => retryDelay(spent, options.backoff))
  }
  const result = Promise.race([returned, late]).then(succeeded, ended).finally(stop)
  return { result, settled: returned.then(ignore, ignore) }
}

const ignore = (): void => {}

/** The process that ran its last attempt did not live to tell how it ended. */
function attemptsExhausted(attempts: number): RunningAttempt {
  const thrown = new Error(`Given up: all ${attempts} attempts are used up, and the last of them was cut off`)
  return { result: Promise.resolve({ outcome: 'dead', error: thrown.message, thrown }), settled: Promise.resolve() }
}

function succeeded(returned: unknown): FinishedAttempt {
  return { outcome: 'succeeded', result: describe(returned) }
}

function failed(thrown: unknown, again: boolean, now: number, delay: () => number): FinishedAttempt {
  const reason = attempted(() => discarded(thrown))
  if (reason !== undefined) return { outcome: 'discarded', error: truncate(reason), thrown }
  const error = truncate(describeError(thrown))
  if (!again) return { outcome: 'dead', error, thrown }
  const wait = attempted(() => requestedDelay(thrown, now)) ?? delay()
  return { outcome: 'failed', error, thrown, nextAt: Math.min(Math.round(now + wait), Number.MAX_SAFE_INTEGER) }
}

/** The reason of a `Discard`, from this copy of the package or another. */
function discarded(thrown: unknown): string | undefined {
  const { name, message } = (thrown ?? {}) as Partial<Error>
  return name === 'Discard' ? String(message) : undefined
}

/** Characters that are kept of what a handler returns or throws. */
const maxTextLength = 16_384

const truncate = (text: string): string => (text.length > maxTextLength ? `${text.slice(0, maxTextLength)}…` : text)

function describe(returned: unknown): string | undefined {
  if (returned === undefined || returned === null) return undefined
  const text = () => (typeof returned === 'object' ? JSON.stringify(returned) : String(returned))
  return truncate(attempted(text) ?? attempted(() => Object.prototype.toString.call(returned)) ?? unshowable)
}

/** A handler may throw anything; an error tells where, and what it was caused by, which may go in a circle. */
function describeError(thrown: unknown, causes: number = 10): string {
  const parts = attempted(() => (thrown instanceof Error ? partsOf(thrown) : undefined))
  if (!parts) return `Thrown: ${describe(thrown) ?? String(thrown)}`
  const [text, cause] = parts
  return cause === undefined || causes === 0 ? text : `${text}\nCaused by: ${describeError(cause, causes - 1)}`
}

function partsOf({ name, message, stack, cause }: Error): [text: string, cause: unknown] {
  return [`${stack ?? `${name}: ${message}`}`, cause]
}

const unshowable = 'what cannot be shown'

/** What somebody's object says of itself, whose getters may throw. */
function attempted<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}

import type { ReceivedDelivery } from '../../delivery.ts'
import type { Registration } from '../../handler.ts'
import { startTimer } from '../../timer.ts'
import type { Outcome } from '../inbox.ts'
import { askedDelay, defaultAttempts, retryDelay } from '../retry.ts'

/** Milliseconds that an attempt may take, unless its handler says otherwise. */
export const defaultTimeout: number = 15 * 60 * 1000

/** How an attempt ended, and what was thrown if it failed. */
export interface Result extends Pick<Outcome, 'outcome' | 'nextAt' | 'error' | 'result'> {
  thrown?: unknown
}

/** An attempt that is under way. */
export interface Running {
  /** Resolves as soon as the outcome is known; never rejects. */
  result: Promise<Result>
  /** Resolves when the handler's code is through: later, if it did not heed its `signal`. */
  settled: Promise<void>
}

export interface AttemptOptions {
  registration: Registration
  delivery: ReceivedDelivery
  /** Which of the attempts that are allowed this is. */
  spent: number
  now: () => number
  /** Whether the worker has been told to stop: what fails from then on has been cut off. */
  stopping: () => boolean
}

/** Runs one handler for one delivery, once. */
export function runAttempt({ registration, delivery, spent, now, stopping }: AttemptOptions): Running {
  const { handler, options } = registration
  const timeout = options.timeout ?? defaultTimeout
  const attempts = options.attempts ?? defaultAttempts
  if (spent > attempts) return neverBegun(attempts)

  const { promise: late, reject } = Promise.withResolvers<never>()
  const stop = startTimer(() => {
    const overdue = new DOMException(`${registration.name} did not finish within ${timeout} ms`, 'TimeoutError')
    delivery.abort(overdue)
    reject(overdue)
  }, timeout)
  const returned = new Promise((resolve) => resolve(handler(delivery.data, delivery.guid, delivery)))
  const ended = (thrown: unknown): Result => {
    if (stopping()) return { outcome: 'released', thrown }
    return failed(thrown, spent < attempts, now(), () => retryDelay(spent, options.backoff))
  }
  const result = Promise.race([returned, late]).then(succeeded, ended).finally(stop)
  return { result, settled: returned.then(ignore, ignore) }
}

const ignore = (): void => {}

/** The process that ran its last attempt did not live to tell how it ended. */
function neverBegun(attempts: number): Running {
  const thrown = new Error(`Given up: all ${attempts} attempts are used up, and the last of them was cut off`)
  return { result: Promise.resolve({ outcome: 'dead', error: thrown.message, thrown }), settled: Promise.resolve() }
}

function succeeded(returned: unknown): Result {
  return { outcome: 'succeeded', result: describe(returned) }
}

function failed(thrown: unknown, again: boolean, now: number, delay: () => number): Result {
  const reason = attempted(() => discarded(thrown))
  if (reason !== undefined) return { outcome: 'discarded', error: cut(reason), thrown }
  const error = cut(describeError(thrown))
  if (!again) return { outcome: 'dead', error, thrown }
  const wait = attempted(() => askedDelay(thrown, now)) ?? delay()
  return { outcome: 'failed', error, thrown, nextAt: Math.min(Math.round(now + wait), Number.MAX_SAFE_INTEGER) }
}

/** The reason of a `Discard`, from this copy of the package or another. */
function discarded(thrown: unknown): string | undefined {
  const { name, message } = (thrown ?? {}) as Partial<Error>
  return name === 'Discard' ? String(message) : undefined
}

/** Characters that are kept of what a handler returns or throws. */
const most = 16_384

const cut = (text: string): string => (text.length > most ? `${text.slice(0, most)}…` : text)

function describe(returned: unknown): string | undefined {
  if (returned === undefined || returned === null) return undefined
  const text = () => (typeof returned === 'object' ? JSON.stringify(returned) : String(returned))
  return cut(attempted(text) ?? attempted(() => Object.prototype.toString.call(returned)) ?? unshowable)
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

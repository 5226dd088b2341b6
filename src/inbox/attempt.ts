import type { ReceivedDelivery } from '../delivery.ts'
import type { Registration } from '../handler.ts'
import { startTimer } from '../timer.ts'
import type { Outcome } from './inbox.ts'
import { askedDelay, defaultAttempts, retryDelay } from './retry.ts'

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
  const error = cut(describeError(thrown))
  if ((thrown as Error | null | undefined)?.name === 'Discard') {
    return { outcome: 'discarded', error: (thrown as Error).message, thrown }
  }
  if (!again) return { outcome: 'dead', error, thrown }
  return { outcome: 'failed', error, thrown, nextAt: Math.round(now + (askedDelay(thrown, now) ?? delay())) }
}

/** Characters that are kept of what a handler returns or throws. */
const most = 16_384

const cut = (text: string): string => (text.length > most ? `${text.slice(0, most)}…` : text)

function describe(returned: unknown): string | undefined {
  if (returned === undefined || returned === null) return undefined
  try {
    return cut(typeof returned === 'string' ? returned : (JSON.stringify(returned) ?? String(returned)))
  } catch {
    return Object.prototype.toString.call(returned)
  }
}

/** A handler may throw anything; an error tells where, and what it was caused by. */
function describeError(thrown: unknown): string {
  if (!(thrown instanceof Error)) return `Thrown: ${describe(thrown) ?? String(thrown)}`
  const cause = thrown.cause === undefined ? '' : `\nCaused by: ${describeError(thrown.cause)}`
  return `${thrown.stack ?? `${thrown.name}: ${thrown.message}`}${cause}`
}

import type { ReceivedDelivery } from '../delivery.ts'
import { HookError } from '../errors.ts'
import type { Registration } from '../handler.ts'
import type { Deadline } from '../runtime/deadline.ts'
import { isTraced, type TracingMessages, traceAttempt, tracing } from '../telemetry/tracing.ts'
import { isDelay, isDiscard, isRetry, type Retry } from '../thrown.ts'

/** The handlers of one delivery, about to run. */
interface Run<Reply> {
  delivery: ReceivedDelivery
  deadline: Deadline
  /** The tracing message of the request, if the request is traced. */
  operation?: TracingMessages['receive'] | undefined
  /** Turns the return value of a hook into a reply. If it throws, the hook has failed. */
  toReply(returned: unknown): Reply
  /** Called when a handler fails or exceeds the deadline. Called again if it later fails with another error. */
  failed(error: unknown, registration: Registration): void
}

/**
 * Runs all handlers of a delivery, one after the other. If a handler fails, the next ones still run. If the promise of
 * a handler is pending at the deadline, the next ones do not run.
 * @returns The reply of the most specific hook that returned a reply, if any. The result is a promise only if a handler
 *   returned a promise.
 * @throws {HookError} `handler_timeout`; `handler_retry` if each failure is a `Retry`; else `handler_failed`, whose
 *   cause is the error (an `AggregateError` for several).
 */
export function runHandlers<Reply>(
  matches: readonly Registration[],
  run: Run<Reply>,
): Reply | undefined | Promise<Reply | undefined> {
  const results = new Results(matches, run)
  for (let index = 0; index < matches.length; index++) {
    const returned = results.call(index)
    if (returned) return awaitHandlers(matches.length, index, returned, results)
  }
  return results.reply()
}

/** Awaits the first promise that a handler returned, then runs the remaining handlers. */
async function awaitHandlers<Reply>(
  count: number,
  first: number,
  returned: PromiseLike<unknown>,
  results: Results<Reply>,
): Promise<Reply | undefined> {
  await results.settle(first, returned)
  for (let index = first + 1; index < count; index++) {
    const next = results.call(index)
    if (next) await results.settle(index, next)
  }
  return results.reply()
}

/** Collects the return values and the errors of the handlers of a delivery. */
class Results<Reply> {
  readonly #matches: readonly Registration[]
  readonly #run: Run<Reply>
  readonly #failures: unknown[] = []
  #reply: Reply | undefined

  constructor(matches: readonly Registration[], run: Run<Reply>) {
    this.#matches = matches
    this.#run = run
  }

  /** Calls a handler. @returns The promise that the handler returned, if any. */
  call(index: number): PromiseLike<unknown> | undefined {
    const { delivery, operation } = this.#run
    const callOne = () => callHandler(this.#matches, index, this.#run)
    try {
      const returned = isTraced(tracing.attempt)
        ? traceAttempt(tracing.attempt, this.#registration(index).name, delivery, operation, callOne)
        : callOne()
      if (isThenable(returned)) return returned
      this.#returned(index, returned)
    } catch (error) {
      this.#failed(index, error)
    }
    return undefined
  }

  async settle(index: number, returned: PromiseLike<unknown>): Promise<void> {
    try {
      this.#returned(index, await returned)
    } catch (error) {
      this.#failed(index, error)
    }
  }

  /** @throws {HookError} */
  reply(): Reply | undefined {
    const failures = this.#failures
    if (failures.length === 0) return this.#reply
    if (failures.every(isRetry)) throw new HookError('handler_retry', { cause: failures[0], ...retryAfter(failures) })
    const cause = failures.length === 1 ? failures[0] : new AggregateError(failures, 'Several handlers failed')
    throw new HookError('handler_failed', { cause })
  }

  #registration(index: number): Registration {
    return this.#matches[index] as Registration
  }

  #returned(index: number, returned: unknown): void {
    const { replies } = this.#registration(index)
    if (replies && returned !== undefined && returned !== null) this.#reply ??= this.#run.toReply(returned)
  }

  #failed(index: number, error: unknown): void {
    if (isDiscard(error)) return // not a failure: as if the handler had returned nothing
    this.#run.failed(error, this.#registration(index))
    if (error instanceof Overdue) throw new HookError('handler_timeout', { cause: error })
    this.#failures.push(error)
  }
}

/** The longest delay that the handlers ask for, in seconds, as an option of `HookError`. */
function retryAfter(retries: readonly Retry[]): { retryAfter?: number } {
  const delays = retries.flatMap(({ after }) => (isDelay(after) ? [after] : []))
  return delays.length > 0 ? { retryAfter: Math.ceil(Math.max(...delays) / 1000) } : {}
}

/** A handler did not finish before the deadline. */
class Overdue extends Error {
  override readonly name = 'TimeoutError'
}

/**
 * Calls a handler.
 * @returns The value that the handler returned. If that is a promise, the result also rejects at the deadline.
 */
function callHandler<Reply>(matches: readonly Registration[], index: number, run: Run<Reply>): unknown {
  const registration = matches[index] as Registration
  const { delivery, deadline } = run
  delivery.beginAttempt(registration, true)
  const returned = registration.handler(delivery)
  if (!isThenable(returned)) return returned
  const result = Promise.resolve(returned) // calls `then` once: some query builders start their work at each call
  return deadline.race(result, () => {
    const overdue = new Overdue(describe(matches, index))
    delivery.abort(overdue)
    // A failure after the deadline can no longer change the reply, so `failed` is the only way to report it.
    result.then(undefined, (error: unknown) => {
      if (error !== overdue) run.failed(error, registration)
    })
    return overdue
  })
}

function describe(matches: readonly Registration[], late: number): string {
  const names = matches.map(({ name }) => name)
  const rest = names.slice(late + 1)
  return `${names[late]} did not finish in time${rest.length > 0 ? `; not started: ${rest.join(', ')}` : ''}`
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function'
}

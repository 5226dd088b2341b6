import type { Deadline } from '../deadline.ts'
import type { ReceivedDelivery } from '../delivery.ts'
import { HookError } from '../errors.ts'
import type { Registration } from '../handler.ts'

/** Told of each handler that fails, the ones that fail after their time was over included. */
export type HandlerFailed = (error: unknown, registration: Registration) => void

/** Why a delivery's `signal` aborts when its time is over, as `AbortSignal.timeout()` puts it. */
const timeoutReason = (): Error => new DOMException('The time for handling the delivery is over', 'TimeoutError')

/**
 * Runs all handlers of a delivery, one after the other; a failure does not stop the rest, the end of the time does.
 * @returns What the most specific hook returned that returned something.
 * @throws {HookError} `handler_failed` with what was thrown as `cause` (an `AggregateError` for several), `handler_timeout`
 */
export async function runHandlers(
  matches: readonly Registration[],
  delivery: ReceivedDelivery,
  deadline: Deadline,
  failed: HandlerFailed,
): Promise<unknown> {
  const failures: unknown[] = []
  let reply: unknown
  let overdue: HookError | undefined

  /** What a handler's promise gives, while the time lasts. */
  const settle = (result: PromiseLike<unknown>, index: number) =>
    deadline.race(result, () => {
      delivery.abort(timeoutReason())
      // The delivery will have been answered: a failure from now on has nobody else to tell of it.
      result.then(undefined, (error: unknown) => failed(error, matches[index] as Registration))
      overdue = new HookError('handler_timeout', { cause: describe(matches, index) })
      return overdue
    })

  for (const [index, registration] of matches.entries()) {
    try {
      const result = registration.handler(delivery.data, delivery.guid, delivery)
      const value = isThenable(result) ? await settle(result, index) : result
      if (registration.replies) reply ??= value
    } catch (error) {
      if (overdue) throw overdue
      failures.push(error)
      failed(error, registration)
    }
  }
  if (failures.length === 0) return reply
  const cause = failures.length === 1 ? failures[0] : new AggregateError(failures, 'Several handlers failed')
  throw new HookError('handler_failed', { cause })
}

function describe(matches: readonly Registration[], late: number): string {
  const names = matches.map(({ name }) => name)
  const rest = names.slice(late + 1)
  return `${names[late]} did not finish in time${rest.length > 0 ? `; not begun: ${rest.join(', ')}` : ''}`
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function'
}

import type { ReceivedDelivery } from '../delivery.ts'
import { HookError } from '../errors.ts'
import type { Registration } from '../handler.ts'
import type { Deadline } from '../runtime/deadline.ts'

/** What runs the handlers of one delivery. */
export interface Run<Reply> {
  delivery: ReceivedDelivery
  deadline: Deadline
  /** Makes a reply of what a hook returned; what it throws is a failure of the hook. */
  toReply(returned: unknown): Reply
  /** Told of each handler that fails, also of one that fails after its time was over. */
  failed(error: unknown, registration: Registration): void
}

/**
 * Runs all handlers of a delivery, one after the other; a failure does not stop the rest, the end of the time does.
 * @returns The reply of the most specific hook that returned something; nothing if none did.
 * @throws {HookError} `handler_failed` with what was thrown as `cause` (an `AggregateError` for several), `handler_timeout`
 */
export async function runHandlers<Reply>(
  matches: readonly Registration[],
  run: Run<Reply>,
): Promise<Reply | undefined> {
  const failures: unknown[] = []
  let reply: Reply | undefined
  for (const [index, registration] of matches.entries()) {
    try {
      const result = registration.handler(run.delivery.data, run.delivery.guid, run.delivery)
      const returned = isThenable(result) ? await settle(Promise.resolve(result), matches, index, run) : result
      if (registration.replies && reply === undefined && isSomething(returned)) reply = run.toReply(returned)
    } catch (error) {
      run.failed(error, registration)
      if (error instanceof Overdue) throw new HookError('handler_timeout', { cause: error })
      failures.push(error)
    }
  }
  if (failures.length === 0) return reply
  const cause = failures.length === 1 ? failures[0] : new AggregateError(failures, 'Several handlers failed')
  throw new HookError('handler_failed', { cause })
}

/** A handler's time is over. */
class Overdue extends Error {
  override readonly name = 'TimeoutError'
}

/** What a handler's promise gives, while the time lasts. */
function settle<Reply>(
  result: Promise<unknown>,
  matches: readonly Registration[],
  index: number,
  run: Run<Reply>,
): Promise<unknown> {
  return run.deadline.race(result, () => {
    const overdue = new Overdue(describe(matches, index))
    run.delivery.abort(overdue)
    // The delivery will have been answered: a failure from now on has nobody else to tell of it.
    result.then(undefined, (error: unknown) => {
      if (error !== overdue) run.failed(error, matches[index] as Registration)
    })
    return overdue
  })
}

function describe(matches: readonly Registration[], late: number): string {
  const names = matches.map(({ name }) => name)
  const rest = names.slice(late + 1)
  return `${names[late]} did not finish in time${rest.length > 0 ? `; not begun: ${rest.join(', ')}` : ''}`
}

function isSomething(value: unknown): boolean {
  return value !== undefined && value !== null
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function'
}

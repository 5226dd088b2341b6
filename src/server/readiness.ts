import type { Context } from 'hono'
import type { HookError } from '../errors.ts'
import { Deadline } from '../runtime/deadline.ts'
import type { ApiContext } from './api/route.ts'
import { problem } from './problem.ts'

/** Milliseconds for all checks. Probes repeat soon, and a database may be down for longer than they wait. */
const checkTimeout = 3000

/** Milliseconds for which a successful check of the inbox serves later requests, too: each check writes to the disk. */
const checkLasts = 1000

const storesNothing = 'The inbox takes nothing'

/**
 * Answers whether deliveries can be received and stored now: the inbox has just stored a trial delivery, and the receiver
 * has not just failed to store one. The client has no token, so only the log says why not, once for each reason.
 */
export function readiness({ inbox, receiver, logger }: ApiContext): (context: Context) => Promise<Response> {
  const checks = [
    { run: shared(() => inbox.checkWritable(), checkLasts), fails: storesNothing },
    { run: shared(async () => receiver?.ready()), fails: "GitHub's addresses are not known" },
  ]
  let logged: string | undefined
  return async (context) => {
    const deadline = new Deadline(checkTimeout)
    const late = () => new Error(`There was no answer within ${checkTimeout / 1000} s`)
    try {
      for (const { run, fails } of checks) {
        try {
          await deadline.race(run(), late)
        } catch (error) {
          const failure = isOfInbox(error) ? storesNothing : fails
          const err = (isOfInbox(error) && error.cause) || error
          if (logged !== `${failure}: ${err}`) logger.error({ err }, `Not ready: ${failure}`)
          logged = `${failure}: ${err}`
          return problem(context, 'not_ready', `${failure}: the log says why`)
        }
      }
    } finally {
      deadline.clear()
    }
    logged = undefined
    return context.text('ready')
  }
}

/** Whether the receiver has just failed to store a delivery. Another copy of the package may have thrown the error. */
const isOfInbox = (error: unknown): error is HookError => (error as Partial<HookError>).code === 'inbox_unavailable'

/** One call of `work` serves all requests while it runs, and for `lasts` ms after it has succeeded. */
function shared<T>(work: () => Promise<T>, lasts = 0): () => Promise<T> {
  let current: Promise<T> | undefined
  let ends = Number.POSITIVE_INFINITY
  return () => {
    if (current && performance.now() < ends) return current
    ends = Number.POSITIVE_INFINITY
    current = work()
    current.then(
      () => {
        ends = performance.now() + lasts
      },
      () => {
        ends = 0
      },
    )
    return current
  }
}

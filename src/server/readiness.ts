import type { Context } from 'hono'
import type { HookError } from '../errors.ts'
import { Deadline } from '../runtime/deadline.ts'
import type { ApiContext } from './api/api-context.ts'
import { problem } from './problem.ts'

/** Milliseconds for an answer. Whoever asks does so again soon, and the database may be away for longer than it waits. */
const patience = 3000

/** Milliseconds for which a check of the inbox that succeeded serves later requests too: each check writes to the disk. */
const checkLasts = 1000

const storesNothing = 'The inbox takes nothing'

/**
 * Answers whether deliveries can be accepted and stored now: the inbox has just stored one on trial, and the receiver
 * has not just failed to store one. The client has no token, so only the log says why not, once for each reason.
 */
export function readiness({ inbox, receiver, logger }: ApiContext): (context: Context) => Promise<Response> {
  const checks = [
    { run: shared(() => inbox.checkWritable(), checkLasts), fails: storesNothing },
    { run: shared(async () => receiver?.ready()), fails: "GitHub's addresses are not known" },
  ]
  let logged: string | undefined
  return async (context) => {
    const deadline = new Deadline(patience)
    const late = () => new Error(`There was no answer within ${patience / 1000} s`)
    try {
      for (const { run, fails } of checks) {
        try {
          await deadline.race(run(), late)
        } catch (error) {
          const what = isOfStore(error) ? storesNothing : fails
          const err = (isOfStore(error) && error.cause) || error
          if (logged !== `${what}: ${err}`) logger.error({ err }, `Not ready: ${what}`)
          logged = `${what}: ${err}`
          return problem(context, 'not_ready', `${what}: the log says why`)
        }
      }
    } finally {
      deadline.clear()
    }
    logged = undefined
    return context.text('ready')
  }
}

/** Whether the receiver has just failed to store a delivery. By the code: its error may be of another copy of the package. */
const isOfStore = (error: unknown): error is HookError => (error as Partial<HookError>).code === 'inbox_unavailable'

/** What `work` gives, for all who ask while it is under way, and for `lasts` ms after it has succeeded. */
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

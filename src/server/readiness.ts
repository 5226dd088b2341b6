import type { HookError } from '../errors.ts'
import type { Hooks } from '../hooks.ts'
import { Deadline } from '../runtime/deadline.ts'
import { shared } from '../runtime/shared.ts'
import type { ApiContext } from './api/route.ts'
import { assertHeartbeats } from './maintenance-failures.ts'

/** Maximum milliseconds for all checks. Short, because probes have short timeouts. */
const checkTimeout = 3000

/** Milliseconds for which a successful check of the inbox is reused, because each such check writes to the disk. */
const checkLasts = 1000

const storesNothing = 'The inbox cannot store deliveries'

/**
 * Checks whether the server can accept and store deliveries now, and start their handlers. If not, logs the error, unless
 * the previous check found the same error. Calls that overlap share one check.
 * @returns A function that returns the check that failed, or `undefined`.
 */
export function readiness({ inbox, hooks, receiver, role, logger }: ApiContext): () => Promise<string | undefined> {
  const checks = [
    { run: shared(() => inbox.checkWritable(), checkLasts), fails: storesNothing },
    { run: shared(async () => receiver?.ready()), fails: "GitHub's addresses are unknown" },
    { run: async () => assertStarts(hooks), fails: 'No handler starts' },
    { run: async () => role !== 'receiver' && assertHeartbeats(inbox), fails: 'The worker sends no heartbeats' },
  ]
  let logged: string | undefined
  return shared(async () => {
    const deadline = new Deadline(checkTimeout)
    const late = () => new Error(`No answer within ${checkTimeout / 1000} s`)
    try {
      for (const { run, fails } of checks) {
        try {
          await deadline.race(run(), late)
        } catch (error) {
          const failure = isOfInbox(error) ? storesNothing : fails
          const err = (isOfInbox(error) && error.cause) || error
          if (logged !== `${failure}: ${err}`) logger.error({ err }, `Not ready: ${failure}`)
          logged = `${failure}: ${err}`
          return failure
        }
      }
    } finally {
      deadline.clear()
    }
    if (logged !== undefined) logger.info({}, 'Ready again')
    logged = undefined
    return undefined
  })
}

/** @throws {Error} if the worker of this process cannot start handlers, because its inbox fails. */
function assertStarts({ problems }: Hooks): void {
  const failing = problems.find(({ code }) => code === 'store_failing')
  if (failing) throw new Error(failing.message)
}

/**
 * Whether the error says that the inbox cannot store deliveries. Checks the code instead of the class, because another
 * copy of the package may have thrown the error.
 */
const isOfInbox = (error: unknown): error is HookError => (error as Partial<HookError>).code === 'inbox_unavailable'

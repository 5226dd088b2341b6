import type { Context } from 'hono'
import { Deadline } from '../deadline.ts'
import type { Operated } from './api/operated.ts'
import { problem } from './problem.ts'

/** Milliseconds for an answer. Whoever asks does so again soon, and the database may be away for longer than it waits. */
const patience = 3000

/** Answers whether deliveries could be let in and stored now. Whoever asks has no token, so why not is the log's affair. */
export function readiness({ inbox, receiver, logger }: Operated): (context: Context) => Promise<Response> {
  // A commit that changes nothing. While one is under way nobody begins another: an inbox that hangs is not to be asked more and more.
  const commits = shared(() => inbox.refuse([], {}))
  const ranges = shared(async () => receiver?.ready())
  return async (context) => {
    const deadline = new Deadline(patience)
    const late = () => new Error(`There was no answer within ${patience / 1000} s`)
    const notReady = (err: unknown, what: string) => {
      logger.error({ err }, `Not ready: ${what}`)
      return problem(context, 'not_ready', `${what}: the log says why`)
    }
    try {
      await deadline.race(commits(), late)
    } catch (err) {
      deadline.clear()
      return notReady(err, 'The inbox takes nothing')
    }
    try {
      await deadline.race(ranges(), late)
    } catch (err) {
      return notReady(err, "GitHub's addresses are not known")
    } finally {
      deadline.clear()
    }
    return context.text('ready')
  }
}

/** What `work` gives, for all who ask while it is under way. */
function shared<T>(work: () => Promise<T>): () => Promise<T> {
  let current: Promise<T> | undefined
  return () => {
    current ??= work().finally(() => {
      current = undefined
    })
    return current
  }
}

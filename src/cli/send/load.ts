import { setImmediate, setTimeout } from 'node:timers/promises'
import { longestTimer } from '../../runtime/timer.ts'
import { Pace } from './pace.ts'
import type { Outcome, Outgoing } from './sender.ts'
import type { InboxOverview } from './tally.ts'

export interface Load {
  /** How many are under way at once. */
  concurrency: number
  /** How many are begun a second; `undefined` for as many as there can be. */
  rate: number | undefined
}

/**
 * Sends all, or until `stop` is aborted; what is under way then is left to whoever cuts it off.
 * It also ends when nobody has answered yet and nobody listens, which more requests would not change.
 */
export async function run(
  requests: Iterable<Outgoing>,
  send: (request: Outgoing) => Promise<Outcome>,
  { concurrency, rate }: Load,
  tally: InboxOverview,
  stop: AbortSignal,
): Promise<void> {
  const left = requests[Symbol.iterator]()
  const pace = rate === undefined ? undefined : new Pace(rate, performance.now())
  const hopeless = new AbortController()
  const over = AbortSignal.any([stop, hopeless.signal])

  const connection = async () => {
    while (!over.aborted) {
      const { done, value: request } = left.next()
      if (done) return
      if (pace && !(await until(pace.next(performance.now()), over))) return
      tally.begin(performance.now())
      const outcome = await send(request)
      if (stop.aborted && 'failure' in outcome) return // cut off by us, which says nothing about the server
      tally.end(performance.now(), outcome)
      if (tally.answered === 0 && 'failure' in outcome && outcome.refused) hopeless.abort()
    }
  }
  tally.start(performance.now())
  await Promise.all(Array.from({ length: concurrency }, connection))
}

/**
 * Timers count in whole milliseconds, and are late by one more. Until the last two they are good enough; then the
 * event loop turns. @returns whether the time has come, and nobody stopped it.
 */
async function until(time: number, signal: AbortSignal): Promise<boolean> {
  for (let left = time - performance.now(); left > 0 && !signal.aborted; left = time - performance.now()) {
    if (left <= 2) await setImmediate()
    else await setTimeout(Math.min(left - 2, longestTimer), undefined, { signal }).catch(() => undefined)
  }
  return !signal.aborted
}

import type { FullLogger } from '../telemetry/logger.ts'
import { restUntilAborted } from './aborting.ts'

/** Seconds that a limit is waited for. Where it lasts longer the request fails, and an attempt of an inbox is made again later. */
export const longestWait = 60
/** How often one request waits. */
const mostWaits = 3

interface Asked {
  method: string
  url: string
}

type OnLimit = (wait: number, asked: Asked, octokit: unknown, retries: number) => Promise<boolean>

/** The `throttle` of an Octokit. */
export interface Limits {
  id: string
  retryAfterBaseValue: number
  onRateLimit: OnLimit
  onSecondaryRateLimit: OnLimit
}

/**
 * How an Octokit meets GitHub's limits: those of the same `id` send one request a second that writes, and one in three
 * seconds that notifies somebody, which is what Octokit's plugin sees to. What is refused nevertheless waits as long as
 * GitHub says, here and not in the plugin, whose timer would keep the process alive and would not heed the `signal`.
 */
export function limitsOf(id: string, log: FullLogger, signal: AbortSignal): Limits {
  const onLimit =
    (name: string): OnLimit =>
    async (wait, { method, url }, _octokit, retries) => {
      const patient = wait <= longestWait && retries < mostWaits
      const fate = patient ? 'and is made again' : 'and fails'
      log.warn({ wait }, `${method} ${url} has reached GitHub's ${name}, ${fate}`)
      if (patient) await restUntilAborted(signal, wait * 1000)
      return patient && !signal.aborted
    }
  return {
    id,
    retryAfterBaseValue: 0,
    onRateLimit: onLimit('rate limit'),
    onSecondaryRateLimit: onLimit('secondary rate limit'),
  }
}

import { sleep } from '../runtime/timer.ts'
import type { FullLogger } from '../telemetry/logger.ts'

/** Seconds of the longest wait for a rate limit. If it lasts longer, the request fails, and the inbox retries later. */
export const maxWait = 60
/** Waits for one request. */
const maxRetries = 3

type OnLimit = (
  wait: number,
  request: { method: string; url: string },
  octokit: unknown,
  retries: number,
) => Promise<boolean>

/** The option `throttle` of an Octokit: https://github.com/octokit/plugin-throttling.js */
export interface ThrottleOptions {
  id: string
  retryAfterBaseValue: number
  onRateLimit: OnLimit
  onSecondaryRateLimit: OnLimit
}

/**
 * Throttling as GitHub asks for it. The plugin sends one writing request a second for all Octokits with the same `id`,
 * and one in three seconds if it notifies people. If GitHub rejects a request for a rate limit all the same, we wait here
 * and not in the plugin, whose timer would keep the process alive and ignore the `signal`.
 */
export function throttleOptions(id: string, log: FullLogger, signal: AbortSignal): ThrottleOptions {
  const onLimit =
    (name: string): OnLimit =>
    async (wait, { method, url }, _octokit, retries) => {
      const retry = wait <= maxWait && retries < maxRetries
      const outcome = retry ? `it is retried in ${wait} s` : 'it fails'
      log.warn({ wait }, `${method} ${url} reached GitHub's ${name}: ${outcome}`)
      if (retry) await sleep(wait * 1000, signal)
      return retry && !signal.aborted
    }
  return {
    id,
    retryAfterBaseValue: 0,
    onRateLimit: onLimit('rate limit'),
    onSecondaryRateLimit: onLimit('secondary rate limit'),
  }
}

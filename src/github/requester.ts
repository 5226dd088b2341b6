import { within } from '../runtime/timer.ts'
import { type AnswerHeaders, rateLimitIn } from './rate-limit.ts'
import { type Timing, usualTiming } from './timing.ts'

/** The part of an Octokit that is used here. */
export interface Requester {
  request(
    route: string,
    parameters?: Readonly<Record<string, unknown>>,
  ): Promise<{ headers: AnswerHeaders; data: unknown }>
}

/** What an Octokit throws. */
export interface RequestFailure extends Error {
  status?: number
  response?: { headers?: AnswerHeaders }
}

/** The wait, in milliseconds, that lets events be awaited in its place. */
export type Pause = (ms: number) => Promise<void>

/**
 * Asks GitHub, and waits where it says so: `retry-after`, or until the limit begins anew
 * (https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api). What failed for another reason
 * than the request is tried again, a few times.
 */
export class PatientRequester implements Requester {
  /** How often GitHub was asked. */
  calls = 0
  readonly #github: Requester
  readonly #signal: AbortSignal
  readonly #timing: Timing
  readonly #pause: Pause

  constructor(github: Requester, signal: AbortSignal, timing: Timing = usualTiming, pause: Pause = pauseUntil(signal)) {
    this.#github = github
    this.#signal = signal
    this.#timing = timing
    this.#pause = pause
  }

  async request(route: string, parameters: Readonly<Record<string, unknown>> = {}): ReturnType<Requester['request']> {
    for (let failures = 0; ; failures++) {
      this.#signal.throwIfAborted()
      try {
        this.calls++
        return await this.#github.request(route, { ...parameters, request: { signal: this.#limited(), retries: 0 } })
      } catch (error) {
        const wait = waitAfter(error as RequestFailure, failures, this.#timing)
        if (wait === undefined || this.#signal.aborted) throw error
        await this.#pause(wait)
      }
    }
  }

  /** A server that does not answer has failed. */
  #limited(): AbortSignal {
    return AbortSignal.any([this.#signal, AbortSignal.timeout(this.#timing.answer)])
  }
}

export const pauseUntil =
  (signal: AbortSignal): Pause =>
  async (ms) => {
    if (signal.aborted) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const abort = () => resolve()
    signal.addEventListener('abort', abort)
    await within(ms, promise)
    signal.removeEventListener('abort', abort) // it outlives thousands of pauses
  }

/** Milliseconds until it is worth another try; `undefined` if it is not. */
function waitAfter(failure: RequestFailure, failures: number, { patience, retries }: Timing): number | undefined {
  const { status } = failure
  if (status === 403 || status === 429) {
    const wait = limitWait(failure)
    return wait !== undefined && wait <= patience ? Math.max(1000, wait) : undefined
  }
  const mayPass = status === undefined || status >= 500
  return mayPass ? retries[failures] : undefined
}

/** Milliseconds for which GitHub wants to be left alone; `undefined` if it refused for another reason. */
export function limitWait({ status, response }: RequestFailure): number | undefined {
  if (status !== 403 && status !== 429) return undefined
  const headers = response?.headers ?? {}
  const after = Number(headers['retry-after'])
  if (Number.isFinite(after)) return after * 1000
  const limit = rateLimitIn(headers)
  return limit?.left === 0 ? limit.resetIn : undefined
}

/** The request and the stack of what an Octokit throws are nobody's business. */
export function failureText(error: unknown): string {
  const { message, status } = error as RequestFailure
  if (status === 401) return 'GitHub refused the token (401): it may have expired'
  if (status === 403) return `GitHub refused (403): ${message}`
  if (status === 404) {
    return 'GitHub shows no such webhook (404): it must be spelt so, and the token needs the permission "Webhooks"'
  }
  return message || `GitHub answered ${status}` // which says nothing where there is no body
}

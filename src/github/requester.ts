import { within } from '../timer.ts'
import { type Timing, usualTiming } from './timing.ts'

/** The part of an Octokit that is used here. */
export interface Requester {
  request(
    route: string,
    parameters?: Readonly<Record<string, unknown>>,
  ): Promise<{ headers: Readonly<Record<string, string | number | undefined>>; data: unknown }>
}

/** What an Octokit throws. */
export interface RequestFailure extends Error {
  status?: number
  response?: { headers?: Readonly<Record<string, string | number | undefined>> }
}

/** Milliseconds that are waited for a rate limit: whoever has to wait for longer comes again with the next sweep. */
const mostPatience = 15 * 60_000

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

  constructor(github: Requester, signal: AbortSignal, timing: Timing = usualTiming) {
    this.#github = github
    this.#signal = signal
    this.#timing = timing
    this.#pause = pauseUntil(signal)
  }

  async request(route: string, parameters: Readonly<Record<string, unknown>> = {}): ReturnType<Requester['request']> {
    for (let failures = 0; ; failures++) {
      this.#signal.throwIfAborted()
      try {
        this.calls++
        return await this.#github.request(route, { ...parameters, request: { signal: this.#limited(), retries: 0 } })
      } catch (error) {
        const wait = waitAfter(error as RequestFailure, this.#timing.retries[failures], Date.now())
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

/**
 * Milliseconds until it is worth another try; `undefined` if it is not.
 * @param usual The wait where GitHub names none; `undefined` if it was tried often enough.
 */
export function waitAfter(
  { status, response }: RequestFailure,
  usual: number | undefined,
  now: number,
): number | undefined {
  const { 'retry-after': after, 'x-ratelimit-remaining': left, 'x-ratelimit-reset': reset } = response?.headers ?? {}
  if (status === 403 || status === 429) {
    const wait =
      after !== undefined ? Number(after) * 1000 : Number(left) === 0 ? Number(reset) * 1000 - now : Number.NaN
    return wait <= mostPatience ? Math.max(1000, wait) : undefined
  }
  const mayPass = status === undefined || status >= 500
  return mayPass ? usual : undefined
}

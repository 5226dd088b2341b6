import { causeText } from '../runtime/cause-text.ts'
import { isObject, type Json } from '../runtime/json.ts'
import {
  parseExhaustedLimit,
  parsePollInterval,
  parseRateLimit,
  parseRetryAfter,
  type RateLimit,
} from '../runtime/rate-limit.ts'
import { sleep } from '../runtime/timer.ts'
import { minute } from '../runtime/units.ts'
import { AnswerError, maxAnswerBytes, parseAnswer } from './answer.ts'

/** The part of an Octokit that hookserver's own requests to GitHub use, such as those of recovery and polling. */
export interface Requester {
  request(route: string, parameters?: Readonly<Record<string, unknown>>): Promise<GitHubResponse>
}

export interface GitHubResponse {
  /** The address of the request, after redirects. */
  url?: string
  status?: number
  headers: Readonly<Record<string, string | number | undefined>>
  /** The body as GitHub sent it, usually JSON: `parseAnswer` parses it. */
  text: string
}

/** The error that an Octokit throws. */
export interface RequestError extends Error {
  /** 500 without a `response`, if GitHub did not answer. */
  status?: number
  /** `data` is text if the answer is not JSON, for example an HTML page of a proxy. */
  response?: { headers?: unknown; data?: unknown }
}

/** Timeouts and waits of a request, in milliseconds. */
export interface RetryPolicy {
  /**
   * A request has failed if its answer has not begun by then, or is not complete. A delivery, which may be larger than
   * other answers, has more time to arrive.
   */
  requestTimeout: number
  /** The longest time for which one request waits for rate limits. If GitHub asks for more, the request fails. */
  maxWait: number
  /** The wait before each retry of a failed request. */
  retries: readonly number[]
}

export const defaultRetryPolicy: RetryPolicy = {
  requestTimeout: 20_000,
  maxWait: 15 * 60_000,
  retries: [1000, 4000, 10_000],
}

/** Waits for `ms` milliseconds, or less if the work is stopped. Tests replace it, so that they do not wait. */
export type Pause = (ms: number) => Promise<void>

/** Waits for rate limits, and retries requests that failed because of the server or the network. */
export class RetryingRequester implements Requester {
  /** Requests sent to GitHub so far. */
  calls = 0
  readonly #github: Requester
  readonly #signal: AbortSignal
  readonly #policy: RetryPolicy
  readonly #pause: Pause

  constructor(github: Requester, signal: AbortSignal, policy: RetryPolicy = defaultRetryPolicy, pause?: Pause) {
    this.#github = github
    this.#signal = signal
    this.#policy = policy
    this.#pause = pause ?? ((ms) => sleep(ms, signal, { keepAlive: true }))
  }

  /**
   * @param parameters Its `request` may have options of `fetch`, such as `redirect`. An answer that may be larger than
   * others (`maxAnswerBytes`) has more time to arrive.
   */
  async request(
    route: string,
    { request, ...parameters }: Readonly<Record<string, unknown>> = {},
  ): ReturnType<Requester['request']> {
    const { maxAnswerBytes: maxBytes = maxAnswerBytes } = (request ?? {}) as { maxAnswerBytes?: number }
    const timeout = this.#policy.requestTimeout * Math.max(1, maxBytes / maxAnswerBytes)
    let [failures, limits, limitWaits] = [0, 0, 0]
    for (;;) {
      this.#signal.throwIfAborted()
      const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(timeout)])
      try {
        this.calls++
        return await this.#github.request(route, {
          ...parameters,
          request: { ...(request as object), signal, answerTimeout: this.#policy.requestTimeout, retries: 0 },
        })
      } catch (error) {
        const limitWait = rateLimitWait(error as RequestError, limits)
        let wait: number | undefined
        if (limitWait === undefined) wait = this.#retryDelay(error, failures++)
        else {
          wait = Math.max(1000 * 2 ** limits, limitWait)
          limits++
          limitWaits += wait
        }
        if (wait === undefined || limitWaits > this.#policy.maxWait || this.#signal.aborted) throw error
        await this.#pause(wait)
      }
    }
  }

  /** Milliseconds until the next try after a failure of the network or of GitHub; `undefined` if there is none. */
  #retryDelay(error: unknown, failures: number): number | undefined {
    const { status = 500 } = error as RequestError
    return status < 500 || error instanceof AnswerError ? undefined : this.#policy.retries[failures]
  }
}

/**
 * Milliseconds until GitHub accepts requests again, if a rate limit caused the error. `undefined` for other errors. If
 * a secondary limit does not say how long it lasts, this is a minute, and twice as long for each failure before, up to
 * 16 minutes:
 * https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api#handle-rate-limit-errors-appropriately
 * @param failures The number of rejections by a limit in a row before this one.
 */
export function rateLimitWait({ status, message, response }: RequestError, failures = 0): number | undefined {
  if (status !== 403 && status !== 429) return undefined
  const now = Date.now()
  const wait = parseRetryAfter(response?.headers, now) ?? parseExhaustedLimit(status, response?.headers, now)?.resetIn
  if (wait !== undefined) return wait
  const isSecondary = response !== undefined && (status === 429 || /rate limit|abuse detection/i.test(message))
  return isSecondary ? minute * 2 ** Math.min(failures, 4) : undefined
}

/**
 * Whether an error concerns only the entity that a request names, such as one delivery. Wrong credentials, rate limits
 * and aborts make all requests fail.
 */
export function concernsOneEntity(error: unknown): boolean {
  const { name, status } = error as RequestError
  if (error instanceof AnswerError || name === 'TimeoutError') return true
  return status !== undefined && ![401, 403, 429].includes(status) && name !== 'AbortError'
}

/** Items in a page: the most that GitHub allows. */
const pageSize = 100

/** More than any list of webhooks or installations has, in case an API repeats a page again and again. */
const maxPages = 1000

/** The maximum characters of all pages of a list. An installation has about 3 kB. */
const maxListLength = 256 * 1024 * 1024

/**
 * The items of a list, page by page.
 * @param path Such as `/app/installations`.
 * @param member The member of the answers that has the list. Default: an answer is the list itself.
 * @throws {Error} also if an answer is not a list, because then it comes from another server, not from GitHub.
 */
export async function* listItems(
  github: Requester,
  path: string,
  member?: string,
): AsyncGenerator<Json, void, undefined> {
  let length = 0
  for (let page = 1, full = true; full; page++) {
    if (page > maxPages) throw new AnswerError(`GitHub's answer to GET ${path} has more than ${maxPages} pages`)
    const { text } = await github.request(`GET ${path}`, { per_page: pageSize, page })
    length += text.length
    if (length > maxListLength)
      throw new AnswerError(`GitHub's answers to GET ${path} have more than ${maxListLength / 1024 / 1024} MiB`)
    const answer = parseAnswer(text)
    const data = member === undefined ? answer : isObject(answer) && answer[member]
    if (!Array.isArray(data) || !data.every(isObject)) {
      throw new Error(`The answer to GET ${path} is not a list: check that --github or --api-url names GitHub`)
    }
    yield* data
    full = data.length === pageSize
  }
}

export async function readList(github: Requester, path: string): Promise<Json[]> {
  const items: Json[] = []
  for await (const item of listItems(github, path)) items.push(item)
  return items
}

/**
 * If less than this share of the limit is left, polling waits not only between polls, but also before it fetches a
 * delivery, because other programs may use the same token.
 */
const reserve = 1 / 10

/**
 * Records the rate limit that responses show. `interval` spreads the remaining requests over the time until the limit
 * resets.
 */
export class BudgetedRequester implements Requester {
  readonly #github: Requester
  readonly #users: number
  /** The minimum milliseconds between two polls, as GitHub asks with `X-Poll-Interval`. */
  pollInterval = 0
  #limit: RateLimit | undefined
  #recordedAt = 0

  /** @param users The number of requesters that share the limit, this one included. */
  constructor(github: Requester, users: number) {
    this.#github = github
    this.#users = users
  }

  async request(...input: Parameters<Requester['request']>): ReturnType<Requester['request']> {
    try {
      const response = await this.#github.request(...input)
      this.#record(response.headers)
      return response
    } catch (error) {
      this.#record((error as RequestError).response?.headers)
      throw error
    }
  }

  /** Milliseconds to wait between requests so that the remaining requests last until the limit resets. */
  get interval(): number {
    if (!this.#limit) return 0
    const { remaining, resetIn } = this.#limit
    const left = Math.max(0, this.#recordedAt + resetIn - performance.now())
    return Math.ceil((left / Math.max(1, remaining)) * this.#users)
  }

  /** Whether fewer requests are left than the reserve. */
  get isLow(): boolean {
    return this.#limit !== undefined && this.#limit.remaining < this.#limit.limit * reserve
  }

  #record(headers: unknown): void {
    this.pollInterval = parsePollInterval(headers) ?? this.pollInterval
    const limit = parseRateLimit(headers, Date.now())
    if (!limit) return
    this.#limit = limit
    this.#recordedAt = performance.now()
  }
}

/**
 * GitHub's message; `undefined` if the answer has none. Octokit takes the whole body of an answer that is not JSON as
 * the message, for example an HTML page of a proxy.
 */
export const gitHubMessage = ({ message, response }: RequestError): string | undefined =>
  typeof response?.data === 'string' ? undefined : message || undefined

/** The text, and GitHub's message if the answer has one. */
export function withMessage(text: string, error: RequestError): string {
  const message = gitHubMessage(error)
  return message === undefined ? text : `${text}: ${message}`
}

/**
 * What to do if GitHub rejected a token because it is not authorized for SAML single sign-on; `undefined` for other
 * errors: https://docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api
 */
export function singleSignOnCure({ response }: Pick<RequestError, 'response'>): string | undefined {
  const { 'x-github-sso': header } = (response?.headers ?? {}) as Readonly<Record<string, string | undefined>>
  if (header === undefined || !/^required\b/.test(header)) return undefined
  const page = URL.parse(/\burl=(https?:[^\s;]+)/.exec(header)?.[1] ?? '')
  const where = page ? `at ${page.href}` : "in GitHub's settings for tokens"
  return `The organization requires SAML single sign-on: authorize the token ${where}`
}

/** Whether more permissions may help, after GitHub has rejected a request with 403. */
export const isCuredByPermission = ({ message }: Pick<RequestError, 'message'>): boolean =>
  !/\b(IP allow list|suspended)\b/i.test(message)

/** The message of an error for logs and reports, without the request and its headers, which may hold a token. */
export function describeError(error: unknown): string {
  const { message, status, response } = error as RequestError
  if (response === undefined && status === 500) return `Cannot reach GitHub: ${message || causeText(error as Error)}`
  if (response === undefined) return message // the error already explains the answer
  if (status === 401)
    return 'GitHub rejected the token (401): it may have expired. If you use an App, check its id and its private key'
  const signOn = singleSignOnCure(error as RequestError)
  if (signOn !== undefined) return `GitHub rejected the request (${status}). ${signOn}`
  if (status === 403) return withMessage('GitHub rejected the request (403)', error as RequestError)
  if (status === 404) {
    return 'GitHub shows no such webhook (404): check the name of the repository or organization, the id of the webhook, and that the token or the App has the permission "Webhooks"'
  }
  const shown = gitHubMessage(error as RequestError)
  if (shown !== undefined) return shown
  return `GitHub answered ${status} without a JSON object: a proxy may have answered, or GitHub is not available`
}

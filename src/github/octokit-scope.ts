import type { Octokit } from 'octokit'
import type { Delivery } from '../delivery.ts'
import { getOrCreate } from '../runtime/get-or-create.ts'
import { sleep, untilAborted } from '../runtime/timer.ts'
import type { FullLogger } from '../telemetry/logger.ts'
import { ApiBudget } from './api-budget.ts'
import type { Permissions } from './event-permissions.ts'
import { explainDenied, explainPath } from './octokit-mistakes.ts'
import { withApiVersion } from './octokit-requester.ts'
import { type PacingGroup, pacingFor } from './pacing.ts'

/** The logger of an Octokit and the signal that ends its requests. They are usually those of a delivery. */
export interface Scope extends Pick<Delivery, 'signal'> {
  log: FullLogger
  /** Whether a wait for a rate limit keeps the process alive, as a script needs it. Default: it does not. */
  keepAlive?: boolean
  /** Whether its requests leave a reserve of the rate limit to others. Default: they do not. */
  isBackground?: boolean
  /** The permissions of the installation that the Octokit authenticates as, as far as they are known. */
  permissions?: () => Permissions | undefined
}

/**
 * The longest wait for a rate limit, in seconds. If the limit lasts longer, the request fails. With an inbox, the next
 * attempt of the handler then starts when the limit has reset.
 */
export const maxWait = 60

/** A caller of GitHub's API. GitHub counts the requests of one caller together. */
export interface ApiCaller {
  apiUrl: string
  /** Such as `token`, `app 1` or `installation 7`. */
  caller: string
  /** The token of the caller `token`: a process may have several. */
  token?: string | undefined
}

const idOf = ({ apiUrl, caller }: ApiCaller): string => `${apiUrl.replace(/\/+$/, '')} ${caller}`

/**
 * The budgets of callers, for their requests that users' code sends. Each Octokit of a caller shares its budget. An
 * Octokit asks for the budget at each request, because the budget is deleted while it is idle.
 */
export class Budgets {
  readonly #budgets = new Map<string, ApiBudget>()

  /** The number of budgets in memory. */
  get size(): number {
    return this.#budgets.size
  }

  for(given: ApiCaller): ApiBudget {
    return getOrCreate(this.#budgets, `${idOf(given)} ${given.token ?? ''}`, () => {
      this.#deleteIdle()
      return new ApiBudget(given.caller, maxWait * 1000)
    })
  }

  /** Without this, the budgets of installations that are no longer used would accumulate. */
  #deleteIdle(): void {
    for (const [id, { isIdle }] of this.#budgets) if (isIdle) this.#budgets.delete(id)
  }
}

/**
 * The budgets of this process. A `Hooks` and a Probot app that use the same App share those of its installations, and so
 * do two `Hooks`.
 */
export const budgets: Budgets = new Budgets()

/** The maximum number of waits for one request. */
const maxRetries = 3

/** @returns Whether the plugin sends the request again. @param wait In seconds. */
type OnLimit = (
  wait: number,
  request: { method: string; url: string },
  octokit: unknown,
  retries: number,
) => Promise<boolean>

interface ThrottleOptions extends ReturnType<typeof pacingFor> {
  id: string
  /** Milliseconds that the plugin waits for each second that GitHub asks for. */
  retryAfterBaseValue: number
  onRateLimit: OnLimit
  onSecondaryRateLimit: OnLimit
  global: PacingGroup
  auth: PacingGroup
}

/**
 * The option `throttle` of an Octokit: https://github.com/octokit/plugin-throttling.js. For all Octokits of a caller
 * together, it spaces write requests (POST, PATCH, PUT or DELETE) and searches as `pacingFor` says. Then each try of a
 * request waits until the budget of its caller allows it. If GitHub still rejects a request because of a rate limit, our
 * callback waits, because the plugin's timer would ignore `signal` and always keep the process alive.
 */
export function throttleOptions(
  caller: ApiCaller,
  { log, signal, keepAlive = false, isBackground = false }: Scope,
  isPaced: boolean,
): ThrottleOptions {
  const onLimit =
    (name: string): OnLimit =>
    async (wait, { method, url }, _octokit, retries) => {
      const retry = wait <= maxWait && retries < maxRetries
      const outcome = retry ? `it is retried in ${wait} s` : 'it fails'
      log.warn({ wait }, `${method} ${url} reached GitHub's ${name}: ${outcome}`)
      if (retry) await sleep(wait * 1000, signal, { keepAlive })
      return retry && !signal.aborted
    }
  // The plugin runs a request in one of these two groups, after its waits for the other groups. Its own groups run at most
  // 10 requests at a time, and 1 request for a token: one without an answer would stop all installations of an App.
  const inBudget: PacingGroup = {
    key: () => ({
      schedule: (_options, work, given) => {
        const options = given as RequestOptions
        const { method, url } = options
        const send = () => untilAborted(signal, () => withoutRetryOfRejection(options, work as Send))
        return budgets.for(caller).run({ method, url, signal, isBackground, keepAlive }, send)
      },
    }),
  }
  return {
    id: idOf(caller),
    retryAfterBaseValue: 0,
    onRateLimit: onLimit('rate limit'),
    onSecondaryRateLimit: onLimit('secondary rate limit'),
    ...pacingFor(isPaced ? { signal, isBackground } : undefined),
    ...{ global: inBudget, auth: inBudget },
  }
}

interface RequestOptions {
  method: string
  url: string
  request: { fetch?: typeof globalThis.fetch; retries?: number | undefined }
}

type Send = (options: RequestOptions) => Promise<{ headers: unknown }>

/**
 * GitHub rejects a request with these if the state of the repository does not allow it: a merge of a draft, or of a head
 * that has changed.
 */
const conflicts: readonly number[] = [405, 409]

/**
 * Sends a request. Octokit's plugin for retries, which runs inside of the one for rate limits, would send it again up to
 * 3 times within 14 s if GitHub rejects it with 429, 405 or 409. Without an inbox, the handler would time out before it sees
 * the answer.
 */
async function withoutRetryOfRejection(options: RequestOptions, send: Send): ReturnType<Send> {
  const { request } = options
  const fetch: typeof globalThis.fetch = async (...given) => {
    const response = await (request.fetch ?? globalThis.fetch)(...given)
    const isConflict = conflicts.includes(response.status)
    options.request.retries = response.status === 429 ? 0 : (request.retries ?? (isConflict ? 0 : undefined))
    return response
  }
  options.request = { ...request, fetch } // `request` may belong to the defaults of the Octokit
  try {
    return await send(options)
  } finally {
    options.request = request
  }
}

/**
 * Makes requests reject as soon as the signal aborts, even while a plugin of Octokit waits. Also logs each request.
 *
 * A request hook sets the signal and the logger. We do not set them with the option `request` of the Octokit's
 * constructor, because this option replaces the whole `request` of `Octokit.defaults()`. If an application had set its
 * own `fetch` with `Octokit.defaults({ request: { fetch } })`, the Octokit would lose this `fetch`.
 */
export function withScope(scope: Scope, octokit: Octokit): Octokit {
  const { log, signal } = scope
  const requestLog = octokitLogger(log)
  withApiVersion(octokit).hook.wrap('request', async (request, options) => {
    // Octokit retries an aborted request, unless the reason is an `AbortError`. This controller has that reason by
    // default. `signal` may have another reason.
    const controller = new AbortController()
    const abort = () => controller.abort()
    signal.addEventListener('abort', abort, { once: true })
    try {
      // Changes `options` itself. The hooks of Octokit's plugins run after this one, and always get this object. They
      // would not get a copy that we passed to `request()`.
      options.request = { signal: controller.signal, ...options.request, log: requestLog }
      const response = await untilAborted(signal, async () => request(options))
      logRequest(log, options, response)
      return response
    } catch (error) {
      if (!signal.aborted) logRequest(log, options, (error as { response?: LoggedResponse }).response)
      explainDenied(error, scope.permissions?.())
      explainPath(error, options)
      throw error
    } finally {
      signal.removeEventListener('abort', abort) // one signal may outlive thousands of requests
    }
  })
  return octokit
}

type LoggedResponse = Partial<Record<'status' | 'url', unknown>>

/** @param response `undefined` if there was none. A mock may leave out the URL. */
function logRequest(
  log: FullLogger,
  { method, url }: Record<'method' | 'url', string>,
  response?: LoggedResponse,
): void {
  const path = URL.parse(String(response?.url))?.pathname ?? url
  log.debug({ status: response?.status ?? 'no response' }, `${method} ${path}`)
}

/** Options of an Octokit that sends each request once. Its caller waits for rate limits, retries, and logs errors. */
export const withoutPlugins = {
  throttle: { enabled: false },
  retry: { enabled: false },
  log: { debug(): void {}, info(): void {}, warn(): void {}, error(): void {} },
}

/** Logs the text, and the second argument only if it is an error. Other values may contain a token. */
export function octokitLogger(log: FullLogger): Record<keyof FullLogger, (text: string, more?: unknown) => void> {
  const write = (level: keyof FullLogger) => (text: string, more?: unknown) => {
    log[level](more instanceof Error ? { err: more } : {}, text)
  }
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}

import type { Octokit } from 'octokit'
import type { Delivery } from '../delivery.ts'
import { version } from '../runtime/platform.ts'
import { sleep, untilAborted } from '../runtime/timer.ts'
import type { Settings } from '../settings.ts'
import type { FullLogger } from '../telemetry/logger.ts'
import type { Requester } from './requester.ts'
import { missingCredentials, type Target } from './target.ts'
import { authenticateInstallation, InstallationTokens } from './tokens.ts'

type Credentials = Pick<Settings, 'apiUrl' | 'app' | 'token' | 'logger'>

/** The logger of an Octokit and the signal that ends its requests. They are usually those of a delivery. */
type Scope = Pick<Delivery, 'log' | 'signal'>

/**
 * The longest wait for a rate limit, in seconds. If the limit lasts longer, the request fails. The inbox retries later.
 */
export const maxWait = 60
/** The maximum number of waits for one request. */
const maxRetries = 3

interface AppClient {
  octokit: Octokit
  tokens: InstallationTokens
}

/** Creates Octokits that authenticate with the token, as the App, or as an installation of the App. */
export class GitHubClient {
  readonly #credentials: Credentials
  #app: Promise<AppClient> | undefined

  constructor(credentials: Credentials) {
    this.#credentials = credentials
  }

  /** The Octokit for a handler. @throws {Error} if there are no credentials for the delivery. */
  async octokitFor(delivery: Delivery): Promise<Octokit> {
    const { app, token } = this.#credentials
    const { installationId } = delivery
    if (app && installationId !== undefined) return this.asInstallation(installationId, delivery)
    if (token !== undefined) return this.withToken(delivery)
    throw new Error(
      app
        ? 'delivery.octokit(): this delivery does not come from an installation of an App, so the option "app" does not apply. For a webhook that does not belong to the App, also set the option "token"'
        : 'delivery.octokit() needs credentials: set the option "app" ({ id, privateKey }) or the option "token" of new Hooks()',
    )
  }

  /**
   * A requester that may read the delivery logs of a target. It leaves rate limits and retries to its caller, who waits
   * only while it has its lease.
   * @throws {Error} with a message for the operator.
   */
  async requesterFor(target: Target): Promise<Requester> {
    const { apiUrl, token, logger } = this.#credentials
    const missing = missingCredentials([target], this.#credentials)
    if (missing !== undefined) throw new Error(missing)
    if (target === 'app') return this.asApp()
    if (token !== undefined) {
      const { Octokit } = await loadOctokit()
      const log = { debug() {}, info() {}, warn() {}, error() {} } // the caller logs errors
      const plugins = { throttle: { enabled: false }, retry: { enabled: false } }
      return new Octokit({ auth: token, baseUrl: apiUrl, log, ...plugins }) as Requester
    }
    const path = 'repository' in target ? `/repos/${target.repository}` : `/orgs/${target.organization}`
    const { data } = await (await this.asApp()).request(`GET ${path}/installation`)
    const signal = new AbortController().signal // never aborts, because each request has a signal of its own
    return this.asInstallation((data as { id: number }).id, { log: logger, signal })
  }

  /** Authenticates with the option `token`, which must be set. */
  async withToken(scope: Scope): Promise<Octokit> {
    const { Octokit } = await loadOctokit()
    return withScope(scope, new Octokit({ ...this.#optionsFor('token', scope), auth: this.#credentials.token }))
  }

  /** Authenticates as an installation of the option `app`, which must be set. */
  async asInstallation(installation: number, scope: Scope): Promise<Octokit> {
    const [{ Octokit }, { tokens }] = await Promise.all([loadOctokit(), this.#appClient()])
    const options = this.#optionsFor(`installation ${installation}`, scope)
    const authStrategy = () => authenticateInstallation(installation, tokens)
    return withScope(scope, new Octokit({ ...options, authStrategy }))
  }

  /** Authenticates as the App itself, for the routes below `/app`. The option `app` must be set. */
  async asApp(): Promise<Octokit> {
    return (await this.#appClient()).octokit
  }

  #appClient(): Promise<AppClient> {
    this.#app ??= this.#createApp()
    return this.#app
  }

  async #createApp(): Promise<AppClient> {
    const { app, logger } = this.#credentials
    if (!app) throw new Error('No App is configured: set the option "app" ({ id, privateKey }) of new Hooks()')
    const { App, Octokit } = await loadOctokit()
    const options = this.#optionsFor(`app ${app.id}`, { log: logger, signal: new AbortController().signal })
    const { octokit } = new App({
      appId: app.id,
      privateKey: app.privateKey,
      Octokit: Octokit.defaults(options),
      log: options.log,
    })
    octokit.hook.error('request', (error) => {
      throw (error as { status?: unknown }).status === 401 ? unauthorizedApp(app.id, error) : error
    })
    return { octokit, tokens: new InstallationTokens(octokit) }
  }

  /**
   * @param caller `token`, or an installation or App with its id. GitHub counts the requests of one caller together, so
   * its Octokits are throttled together.
   */
  #optionsFor(caller: string, scope: Scope) {
    const { apiUrl } = this.#credentials
    const octokitLog = octokitLogger(scope.log)
    return {
      baseUrl: apiUrl,
      userAgent: `hookserver/${version}`,
      log: octokitLog,
      request: { log: octokitLog, signal: withDefaultReason(scope.signal) },
      throttle: throttleOptions(`${apiUrl} ${caller}`, scope),
    }
  }
}

/**
 * The option `throttle` of an Octokit: https://github.com/octokit/plugin-throttling.js. For all Octokits with the same
 * `id` together, the plugin sends at most one write request (POST, PATCH, PUT or DELETE) a second, and one in three
 * seconds if it notifies people, as comments do. If GitHub still rejects a request because of a rate limit, the wait is
 * here: the plugin's timer ignores `signal` and keeps the process alive.
 */
function throttleOptions(id: string, { log, signal }: Scope) {
  const onLimit =
    (name: string) =>
    async (wait: number, { method, url }: { method: string; url: string }, _octokit: unknown, retries: number) => {
      const retry = wait <= maxWait && retries < maxRetries
      const outcome = retry ? `it is retried in ${wait} s` : 'it fails'
      log.warn({ wait }, `${method} ${url} reached GitHub's ${name}: ${outcome}`)
      if (retry) await sleep(wait * 1000, signal)
      return retry && !signal.aborted
    }
  const [onRateLimit, onSecondaryRateLimit] = [onLimit('rate limit'), onLimit('secondary rate limit')]
  return { id, retryAfterBaseValue: 0, onRateLimit, onSecondaryRateLimit }
}

/** Loads the optional package `octokit`. @throws {Error} if it is not installed. */
async function loadOctokit(): Promise<typeof import('octokit')> {
  try {
    return await import('octokit') // in a `try`, so that bundlers accept that it may be missing
  } catch (cause) {
    const text = 'Talking to GitHub needs the package "octokit" beside hookserver: npm install octokit'
    throw new Error(text, { cause })
  }
}

/**
 * Makes requests reject at once when the signal aborts, even while a plugin of Octokit waits, and logs each response.
 */
function withScope({ log, signal }: Scope, octokit: Octokit): Octokit {
  octokit.hook.wrap('request', async (request, options) => {
    const response = await untilAborted(signal, async () => request(options))
    log.debug({ status: response.status }, `${options.method} ${new URL(response.url).pathname}`)
    return response
  })
  return octokit
}

/** Octokit retries an aborted request, unless the name of the abort's reason is `AbortError`, as it is by default. */
function withDefaultReason(signal: AbortSignal): AbortSignal {
  const controller = new AbortController()
  if (signal.aborted) controller.abort()
  else signal.addEventListener('abort', () => controller.abort(), { once: true })
  return controller.signal
}

/** Logs the text, and the second argument only if it is an error. Other values may contain a token. */
function octokitLogger(log: FullLogger) {
  const write = (level: keyof FullLogger) => (text: string, more?: unknown) => {
    log[level](more instanceof Error ? { err: more } : {}, text)
  }
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}

function unauthorizedApp(id: number | string, cause: Error): Error {
  const text =
    `GitHub does not accept the key of App ${id}: check that "id" and "privateKey" of the option "app" belong ` +
    `together, and that the key was not deleted (${cause.message})`
  return Object.assign(new Error(text, { cause }), { status: 401 })
}
